import type * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import type * as Schema from "effect/Schema"
import type { Link } from "../../connection/Link.js"
import type { KeyNotFound } from "../../errors/state.js"
import type { SharedEntry, SharedKey } from "../../schema/StateEntry.js"
import type { CapabilitiesService, InvokeOptions } from "../Capabilities.js"
import * as Changes from "./changes.js"
import * as Updates from "./updates.js"
import {
  type AnySchema,
  type PlainValue,
  prefixOf,
  readVersion,
  schemaAndOptions,
  type SetArguments,
  setArguments,
  type StateError,
  withKey,
  withPrefix,
  writeValue
} from "./values.js"
import * as Watches from "./watches.js"

/** How a key of the shared state is written. */
export interface SharedSetOptions extends InvokeOptions {
  /** The version that the key must have, such as that of the entry that was read; 0 where it must not be there. */
  readonly expectedVersion: number
}

/** State that the agents of a gateway share, with optimistic locking. Source: the guide's "Shared state". */
export interface SharedState {
  /** What is stored under a key; None where nothing is. A value that does not fit the schema is OutputMismatch. */
  readonly get: {
    (key: string, options?: InvokeOptions): Effect.Effect<Option.Option<SharedEntry>, StateError<"state.shared.get">>
    <A = unknown, I = unknown, R = never>(
      key: string,
      schema: Schema.Schema<A, I, R> | undefined,
      options?: InvokeOptions
    ): Effect.Effect<Option.Option<SharedEntry<A>>, StateError<"state.shared.get">, R>
  }

  /**
   * Stores a value if the key still has the expected version, and gives its new one; versions go on after a delete. VersionConflict:
   * somebody else wrote first (`expectedVersion`, `actualVersion`), and nothing was stored. InvalidInput: the key or the value cannot be
   * stored (`field` names the place: `key`, `$.pages[3]`). QuotaExceeded: the shared state has no room for it.
   */
  readonly set: {
    <A, I, R>(
      key: string,
      schema: Schema.Schema<A, I, R>,
      value: NoInfer<A>,
      options: SharedSetOptions
    ): Effect.Effect<{ readonly version: number }, StateError<"state.shared.set">, R>
    <A>(
      key: string,
      value: PlainValue<A>,
      options: SharedSetOptions
    ): Effect.Effect<{ readonly version: number }, StateError<"state.shared.set">>
  }

  /** Removes a key, whatever its version, and tells whether it was there. */
  readonly delete: (
    key: string,
    options?: InvokeOptions
  ) => Effect.Effect<boolean, StateError<"state.shared.delete">>

  /** The keys that begin with the prefix, without their values; without a prefix, all of them. */
  readonly list: (
    prefix?: string,
    options?: InvokeOptions
  ) => Effect.Effect<ReadonlyArray<SharedKey>, StateError<"state.shared.list">>

  /**
   * Reads a value, makes a new one of it and stores that, unless somebody else has written in between: then all of it is done again,
   * after a short wait that grows and that chance decides. So no update is lost, and `f` may run more than once. Gives what it has
   * written.
   *
   * UpdateExhausted: each of the `times` + 1 attempts was overtaken. KeyNotFound: the key is not there, and there is no `initial`.
   */
  readonly update: {
    <A, I, R>(
      key: string,
      schema: Schema.Schema<A, I, R>,
      f: (value: A) => NoInfer<A>,
      options: Updates.InitialOptions<NoInfer<A>>
    ): Updates.Update<A, Updates.UpdateError, R>
    <A, I, R>(
      key: string,
      schema: Schema.Schema<A, I, R>,
      f: (value: A) => NoInfer<A>,
      options?: Updates.UpdateOptions
    ): Updates.Update<A, Updates.UpdateError | KeyNotFound, R>
  }

  /** As `update`, with an effect that makes the new value; when it fails, nothing is written. */
  readonly updateEffect: {
    <A, I, R, E2, R2>(
      key: string,
      schema: Schema.Schema<A, I, R>,
      f: (value: A) => Effect.Effect<NoInfer<A>, E2, R2>,
      options: Updates.InitialOptions<NoInfer<A>>
    ): Updates.Update<A, Updates.UpdateError | E2, R | R2>
    <A, I, R, E2, R2>(
      key: string,
      schema: Schema.Schema<A, I, R>,
      f: (value: A) => Effect.Effect<NoInfer<A>, E2, R2>,
      options?: Updates.UpdateOptions
    ): Updates.Update<A, Updates.UpdateError | KeyNotFound | E2, R | R2>
  }

  /**
   * What becomes of the keys that begin with a prefix, from when the stream starts: see `StateChange`. The gateway pushes changes where
   * it has the feature `events` and the connection is a WebSocket; else it is asked every `pollInterval`.
   *
   * It goes on over lost connections, and then says what has changed meanwhile. Of a key that changes faster than the stream is read,
   * the versions in between are left out. It fails when the connection is over, when the gateway refuses it, when a value does not fit
   * the schema (OutputMismatch), and when the gateway could not be asked for 24 hours.
   */
  readonly changes: Changes.Changes
}

export const make = (
  link: Link,
  capabilities: Pick<CapabilitiesService, "invoke">,
  longestTrust: Duration.Duration
): SharedState => {
  const { invoke } = capabilities

  function get(
    key: string,
    options?: InvokeOptions
  ): Effect.Effect<Option.Option<SharedEntry>, StateError<"state.shared.get">>
  function get<A = unknown, I = unknown, R = never>(
    key: string,
    schema: Schema.Schema<A, I, R> | undefined,
    options?: InvokeOptions
  ): Effect.Effect<Option.Option<SharedEntry<A>>, StateError<"state.shared.get">, R>
  function get(
    key: string,
    second?: AnySchema | InvokeOptions,
    third?: InvokeOptions
  ): Effect.Effect<Option.Option<SharedEntry>, StateError<"state.shared.get">, unknown> {
    const name = "state.shared.get"
    const { options, schema } = schemaAndOptions(second, third)
    return withKey(key, name, () =>
      invoke(name, { key }, options).pipe(
        Effect.flatMap((output) =>
          Effect.map(
            readVersion(key, output, schema, name),
            Option.map((read) => ({ ...read, ownerAgent: output.owner_agent, updatedAt: output.updated_at }))
          )
        ),
        Effect.catchTag("KeyNotFound", () => Effect.succeedNone)
      ))
  }

  function set<A, I, R>(
    key: string,
    schema: Schema.Schema<A, I, R>,
    value: NoInfer<A>,
    options: SharedSetOptions
  ): Effect.Effect<{ readonly version: number }, StateError<"state.shared.set">, R>
  function set<A>(
    key: string,
    value: PlainValue<A>,
    options: SharedSetOptions
  ): Effect.Effect<{ readonly version: number }, StateError<"state.shared.set">>
  function set(
    key: string,
    ...rest: SetArguments<readonly [options: SharedSetOptions]>
  ): Effect.Effect<{ readonly version: number }, StateError<"state.shared.set">, unknown> {
    const name = "state.shared.set"
    const { options: [options], schema, value } = setArguments(rest)
    return withKey(key, name, () =>
      writeValue(value, schema, name).pipe(
        Effect.flatMap((written) =>
          invoke(name, { key, value: written, expected_version: options.expectedVersion }, options)
        ),
        Effect.map(({ version }) => ({ version }))
      ))
  }

  const list: SharedState["list"] = (prefix = "", options) =>
    withPrefix(
      prefix,
      "state.shared.list",
      () =>
        Effect.map(invoke("state.shared.list", prefixOf(prefix), options), ({ entries }) =>
          entries.map(({ key, owner_agent, size_bytes, updated_at, version }) => ({
            key,
            version,
            sizeBytes: size_bytes,
            ownerAgent: owner_agent,
            updatedAt: updated_at
          })))
    )

  return {
    get,
    set,
    delete: (key, options) =>
      withKey(key, "state.shared.delete", () =>
        invoke("state.shared.delete", { key }, options).pipe(
          Effect.map(({ deleted }) => deleted),
          Effect.catchTag("KeyNotFound", () => Effect.succeed(false))
        )),
    list,
    ...Updates.make({ get, set }),
    changes: Changes.make({ link, get, list, watches: Watches.make(capabilities, link.channel), longestTrust })
  }
}
