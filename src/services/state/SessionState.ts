import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import type * as Schema from "effect/Schema"
import type { StateEntry } from "../../schema/StateEntry.js"
import type { CapabilitiesService, InvokeOptions } from "../Capabilities.js"
import {
  type AnySchema,
  incomplete,
  type PlainValue,
  prefixOf,
  readValue,
  schemaAndOptions,
  type SetArguments,
  setArguments,
  type StateError,
  withKey,
  withPrefix,
  writeValue
} from "./values.js"

/**
 * State of one session: in memory at the gateway, gone when the session ends. A connection that is lost and made again within a minute
 * goes on with its session, unless the gateway was started anew. Source: the guide's "Session state".
 */
export interface SessionState {
  /** What is stored under a key; None where nothing is. A value that does not fit the schema is OutputMismatch. */
  readonly get: {
    (key: string, options?: InvokeOptions): Effect.Effect<Option.Option<StateEntry>, StateError<"state.session.get">>
    <A = unknown, I = unknown, R = never>(
      key: string,
      schema: Schema.Schema<A, I, R> | undefined,
      options?: InvokeOptions
    ): Effect.Effect<Option.Option<StateEntry<A>>, StateError<"state.session.get">, R>
  }

  /**
   * Stores a value, encoded by the schema if there is one, and tells whether there was one before. InvalidInput: the key or the value
   * cannot be stored (`field` names the place: `key`, `$.pages[3]`). QuotaExceeded: the session has no room for it.
   */
  readonly set: {
    <A, I, R>(
      key: string,
      schema: Schema.Schema<A, I, R>,
      value: NoInfer<A>,
      options?: InvokeOptions
    ): Effect.Effect<{ readonly overwritten: boolean }, StateError<"state.session.set">, R>
    <A>(
      key: string,
      value: PlainValue<A>,
      options?: InvokeOptions
    ): Effect.Effect<{ readonly overwritten: boolean }, StateError<"state.session.set">>
  }

  /** Removes a key, and tells whether it was there. */
  readonly delete: (
    key: string,
    options?: InvokeOptions
  ) => Effect.Effect<boolean, StateError<"state.session.delete">>

  /** The keys that begin with the prefix; without one, all of them. */
  readonly list: (
    prefix?: string,
    options?: InvokeOptions
  ) => Effect.Effect<ReadonlyArray<string>, StateError<"state.session.list">>

  /** Removes every key, and tells how many there were. */
  readonly clear: (options?: InvokeOptions) => Effect.Effect<number, StateError<"state.session.clear">>
}

export const make = ({ invoke }: Pick<CapabilitiesService, "invoke">): SessionState => {
  function get(
    key: string,
    options?: InvokeOptions
  ): Effect.Effect<Option.Option<StateEntry>, StateError<"state.session.get">>
  function get<A = unknown, I = unknown, R = never>(
    key: string,
    schema: Schema.Schema<A, I, R> | undefined,
    options?: InvokeOptions
  ): Effect.Effect<Option.Option<StateEntry<A>>, StateError<"state.session.get">, R>
  function get(
    key: string,
    second?: AnySchema | InvokeOptions,
    third?: InvokeOptions
  ): Effect.Effect<Option.Option<StateEntry>, StateError<"state.session.get">, unknown> {
    const name = "state.session.get"
    const { options, schema } = schemaAndOptions(second, third)
    return withKey(key, name, () =>
      Effect.flatMap(invoke(name, { key }, options), (output) => {
        if (!output.found) return Effect.succeedNone
        if (output.value === undefined) return Effect.fail(incomplete(key, output, name))
        return Effect.map(
          readValue({ key, value: output.value }, schema, name),
          (value) => Option.some({ key, value })
        )
      }))
  }

  function set<A, I, R>(
    key: string,
    schema: Schema.Schema<A, I, R>,
    value: NoInfer<A>,
    options?: InvokeOptions
  ): Effect.Effect<{ readonly overwritten: boolean }, StateError<"state.session.set">, R>
  function set<A>(
    key: string,
    value: PlainValue<A>,
    options?: InvokeOptions
  ): Effect.Effect<{ readonly overwritten: boolean }, StateError<"state.session.set">>
  function set(
    key: string,
    ...rest: SetArguments<readonly [options?: InvokeOptions | undefined]>
  ): Effect.Effect<{ readonly overwritten: boolean }, StateError<"state.session.set">, unknown> {
    const name = "state.session.set"
    const { options: [options], schema, value } = setArguments(rest)
    return withKey(key, name, () =>
      writeValue(value, schema, name).pipe(
        Effect.flatMap((written) => invoke(name, { key, value: written }, options)),
        Effect.map(({ overwritten }) => ({ overwritten }))
      ))
  }

  return {
    get,
    set,
    delete: (key, options) =>
      withKey(
        key,
        "state.session.delete",
        () => Effect.map(invoke("state.session.delete", { key }, options), ({ deleted }) => deleted)
      ),
    list: (prefix = "", options) =>
      withPrefix(
        prefix,
        "state.session.list",
        () => Effect.map(invoke("state.session.list", prefixOf(prefix), options), ({ keys }) => keys)
      ),
    clear: (options) => Effect.map(invoke("state.session.clear", {}, options), (output) => output.removed_count)
  }
}
