import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import type * as Schema from "effect/Schema"
import type { PersistentEntry, PersistentKey } from "../../schema/StateEntry.js"
import type { CapabilitiesService, InvokeError, InvokeOptions } from "../Capabilities.js"
import {
  type AnySchema,
  type PlainValue,
  prefixOf,
  readValue,
  readVersion,
  schemaAndOptions,
  type SetArguments,
  setArguments,
  type StateError,
  withKey,
  withPrefix,
  writeValue
} from "./values.js"

/** How one version of a key is read: `version` names it, else it is the newest. */
export interface GetOptions extends InvokeOptions {
  readonly version?: number | undefined
}

/** How the versions of a key are read: at most `limit` of them, else as many as the gateway has kept. */
export interface HistoryOptions extends InvokeOptions {
  readonly limit?: number | undefined
}

/** What a write of the persistent state has made: the key's new version; the one before it is 0 where there was none. */
export interface PersistentWrite {
  readonly version: number
  readonly previousVersion: number
}

/** Where the work that stores its progress under a key goes on. */
export interface Checkpoint<A, E = never, R = never> {
  /** What was stored last; the initial value where nothing was. */
  readonly start: A
  /** Whether something was stored: the work has been begun before. */
  readonly resumed: boolean
  /** Stores how far the work is. It has happened at the gateway when this succeeds. */
  readonly save: (value: A) => Effect.Effect<PersistentWrite, E, R>
}

/** State of one agent, kept across its sessions; each write makes a version. Source: the guide's "Persistent state". */
export interface PersistentState {
  /**
   * What is stored under a key, now or in a version; None where there is none, or no longer. A value that does not fit the schema
   * is OutputMismatch.
   */
  readonly get: {
    (
      key: string,
      options?: GetOptions
    ): Effect.Effect<Option.Option<PersistentEntry>, StateError<"state.persistent.get">>
    <A = unknown, I = unknown, R = never>(
      key: string,
      schema: Schema.Schema<A, I, R> | undefined,
      options?: GetOptions
    ): Effect.Effect<Option.Option<PersistentEntry<A>>, StateError<"state.persistent.get">, R>
  }

  /**
   * Stores a value as the key's next version, encoded by the schema if there is one. InvalidInput: the key or the value cannot be stored
   * (`field` names the place: `key`, `$.pages[3]`). QuotaExceeded: the agent has no room for it.
   */
  readonly set: {
    <A, I, R>(
      key: string,
      schema: Schema.Schema<A, I, R>,
      value: NoInfer<A>,
      options?: InvokeOptions
    ): Effect.Effect<PersistentWrite, StateError<"state.persistent.set">, R>
    <A>(
      key: string,
      value: PlainValue<A>,
      options?: InvokeOptions
    ): Effect.Effect<PersistentWrite, StateError<"state.persistent.set">>
  }

  /** Removes a key, and tells whether it was there. */
  readonly delete: (
    key: string,
    options?: InvokeOptions
  ) => Effect.Effect<boolean, StateError<"state.persistent.delete">>

  /** The keys that begin with the prefix, without their values; without a prefix, all of them. */
  readonly list: (
    prefix?: string,
    options?: InvokeOptions
  ) => Effect.Effect<ReadonlyArray<PersistentKey>, StateError<"state.persistent.list">>

  /** The entries whose keys begin with the prefix. Where one value does not fit the schema, it fails with OutputMismatch. */
  readonly query: {
    (
      prefix: string,
      options?: InvokeOptions
    ): Effect.Effect<ReadonlyArray<PersistentEntry>, StateError<"state.persistent.query">>
    <A = unknown, I = unknown, R = never>(
      prefix: string,
      schema: Schema.Schema<A, I, R> | undefined,
      options?: InvokeOptions
    ): Effect.Effect<ReadonlyArray<PersistentEntry<A>>, StateError<"state.persistent.query">, R>
  }

  /**
   * The versions of a key that are kept, newest first. KeyNotFound: it has none. Where one value does not fit the schema, it fails
   * with OutputMismatch.
   */
  readonly history: {
    (
      key: string,
      options?: HistoryOptions
    ): Effect.Effect<ReadonlyArray<PersistentEntry>, InvokeError<"state.persistent.history">>
    <A = unknown, I = unknown, R = never>(
      key: string,
      schema: Schema.Schema<A, I, R> | undefined,
      options?: HistoryOptions
    ): Effect.Effect<ReadonlyArray<PersistentEntry<A>>, InvokeError<"state.persistent.history">, R>
  }

  /**
   * Reads where work that can be cut off is to go on, and gives what stores how far it has come since: see the guide's complete
   * example. `initial` is where it begins; `delete` the key to begin anew.
   */
  readonly checkpoint: <A, I, R>(
    key: string,
    schema: Schema.Schema<A, I, R>,
    options: { readonly initial: NoInfer<A> }
  ) => Effect.Effect<
    Checkpoint<A, StateError<"state.persistent.set">, R>,
    StateError<"state.persistent.get">,
    R
  >
}

export const make = ({ invoke }: Pick<CapabilitiesService, "invoke">): PersistentState => {
  function get(
    key: string,
    options?: GetOptions
  ): Effect.Effect<Option.Option<PersistentEntry>, StateError<"state.persistent.get">>
  function get<A = unknown, I = unknown, R = never>(
    key: string,
    schema: Schema.Schema<A, I, R> | undefined,
    options?: GetOptions
  ): Effect.Effect<Option.Option<PersistentEntry<A>>, StateError<"state.persistent.get">, R>
  function get(
    key: string,
    second?: AnySchema | GetOptions,
    third?: GetOptions
  ): Effect.Effect<Option.Option<PersistentEntry>, StateError<"state.persistent.get">, unknown> {
    const name = "state.persistent.get"
    const { options, schema } = schemaAndOptions(second, third)
    return withKey(
      key,
      name,
      () =>
        invoke(name, options?.version === undefined ? { key } : { key, version: options.version }, options).pipe(
          Effect.flatMap((output) =>
            Effect.map(
              readVersion(key, output, schema, name),
              Option.map((read) => ({ ...read, createdAt: output.created_at, updatedAt: output.updated_at }))
            )
          ),
          Effect.catchTag("KeyNotFound", () => Effect.succeedNone)
        )
    )
  }

  function set<A, I, R>(
    key: string,
    schema: Schema.Schema<A, I, R>,
    value: NoInfer<A>,
    options?: InvokeOptions
  ): Effect.Effect<PersistentWrite, StateError<"state.persistent.set">, R>
  function set<A>(
    key: string,
    value: PlainValue<A>,
    options?: InvokeOptions
  ): Effect.Effect<PersistentWrite, StateError<"state.persistent.set">>
  function set(
    key: string,
    ...rest: SetArguments<readonly [options?: InvokeOptions | undefined]>
  ): Effect.Effect<PersistentWrite, StateError<"state.persistent.set">, unknown> {
    const name = "state.persistent.set"
    const { options: [options], schema, value } = setArguments(rest)
    return withKey(key, name, () =>
      writeValue(value, schema, name).pipe(
        Effect.flatMap((written) => invoke(name, { key, value: written }, options)),
        Effect.map(({ previous_version, version }) => ({ version, previousVersion: previous_version }))
      ))
  }

  function query(
    prefix: string,
    options?: InvokeOptions
  ): Effect.Effect<ReadonlyArray<PersistentEntry>, StateError<"state.persistent.query">>
  function query<A = unknown, I = unknown, R = never>(
    prefix: string,
    schema: Schema.Schema<A, I, R> | undefined,
    options?: InvokeOptions
  ): Effect.Effect<ReadonlyArray<PersistentEntry<A>>, StateError<"state.persistent.query">, R>
  function query(
    prefix: string,
    second?: AnySchema | InvokeOptions,
    third?: InvokeOptions
  ): Effect.Effect<ReadonlyArray<PersistentEntry>, StateError<"state.persistent.query">, unknown> {
    const name = "state.persistent.query"
    const { options, schema } = schemaAndOptions(second, third)
    return withPrefix(
      prefix,
      name,
      () =>
        Effect.flatMap(
          invoke(name, { prefix }, options),
          ({ entries }) =>
            Effect.forEach(entries, (entry) =>
              Effect.map(readValue(entry, schema, name), (value) => ({
                key: entry.key,
                value,
                version: entry.version,
                createdAt: entry.created_at,
                updatedAt: entry.updated_at
              })))
        )
    )
  }

  function history(
    key: string,
    options?: HistoryOptions
  ): Effect.Effect<ReadonlyArray<PersistentEntry>, InvokeError<"state.persistent.history">>
  function history<A = unknown, I = unknown, R = never>(
    key: string,
    schema: Schema.Schema<A, I, R> | undefined,
    options?: HistoryOptions
  ): Effect.Effect<ReadonlyArray<PersistentEntry<A>>, InvokeError<"state.persistent.history">, R>
  function history(
    key: string,
    second?: AnySchema | HistoryOptions,
    third?: HistoryOptions
  ): Effect.Effect<ReadonlyArray<PersistentEntry>, InvokeError<"state.persistent.history">, unknown> {
    const name = "state.persistent.history"
    const { options, schema } = schemaAndOptions(second, third)
    return withKey(key, name, () =>
      Effect.flatMap(
        invoke(name, options?.limit === undefined ? { key } : { key, limit: options.limit }, options),
        ({ versions }) =>
          Effect.forEach(versions, ({ created_at, updated_at, value, version }) =>
            Effect.map(readValue({ key, value, version }, schema, name), (read) => ({
              key,
              value: read,
              version,
              createdAt: created_at,
              updatedAt: updated_at
            })))
      ))
  }

  return {
    get,
    set,
    delete: (key, options) =>
      withKey(key, "state.persistent.delete", () =>
        invoke("state.persistent.delete", { key }, options).pipe(
          Effect.map(({ deleted }) => deleted),
          Effect.catchTag("KeyNotFound", () => Effect.succeed(false))
        )),
    list: (prefix = "", options) =>
      withPrefix(
        prefix,
        "state.persistent.list",
        () =>
          Effect.map(invoke("state.persistent.list", prefixOf(prefix), options), ({ entries }) =>
            entries.map(({ key, size_bytes, updated_at, version }) => ({
              key,
              version,
              sizeBytes: size_bytes,
              updatedAt: updated_at
            })))
      ),
    query,
    history,
    checkpoint: (key, schema, { initial }) =>
      Effect.map(get(key, schema), (stored) => ({
        start: Option.match(stored, { onNone: () => initial, onSome: ({ value }) => value }),
        resumed: Option.isSome(stored),
        save: (value) => set(key, schema, value)
      }))
  }
}
