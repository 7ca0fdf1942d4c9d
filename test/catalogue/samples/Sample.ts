interface JsonObject {
  readonly [name: string]: unknown
}

/** An invocation as it goes over the wire. */
export interface Sample {
  readonly input: JsonObject
  readonly output: JsonObject
}

export interface Samples {
  readonly [name: string]: Sample
}
