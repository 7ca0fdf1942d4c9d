import * as Data from "effect/Data"

/**
 * What is heard of an invocation: how far it is, any number of times, and at the end, once, what it has come to.
 *
 * - `Progress`: `progress` grows, in a unit of the capability's own (files, bytes, lines), towards `total` where that is known; `message`
 *   is a line to read, such as one of a program's output.
 * - `Completed`: what `invoke` would have succeeded with. Nothing comes after it.
 */
export type InvocationEvent<A> = Data.TaggedEnum<{
  Progress: { readonly progress: number; readonly total: number | undefined; readonly message: string | undefined }
  Completed: { readonly output: A }
}>

interface InvocationEventDefinition extends Data.TaggedEnum.WithGenerics<1> {
  readonly taggedEnum: InvocationEvent<this["A"]>
}

export const InvocationEvent = Data.taggedEnum<InvocationEventDefinition>()
