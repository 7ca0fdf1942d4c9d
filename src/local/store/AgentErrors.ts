import * as Data from "effect/Data"

/** There is an agent of that name, or of one that differs only in case; revoked agents keep their names. */
export class AgentAlreadyExists extends Data.TaggedError("AgentAlreadyExists")<{ readonly name: string }> {
  override get message() {
    return `There is an agent named ${this.name} already`
  }
}

/** There is no agent of that name. */
export class AgentNotFound extends Data.TaggedError("AgentNotFound")<{ readonly name: string }> {
  override get message() {
    return `There is no agent named ${this.name}`
  }
}

/** The agent's access was taken away. */
export class AgentRevoked extends Data.TaggedError("AgentRevoked")<{ readonly name: string }> {
  override get message() {
    return `The agent ${this.name} was revoked`
  }
}

/** A name that no agent can have: it has another form, or means something else already. */
export class InvalidAgentName extends Data.TaggedError("InvalidAgentName")<{
  readonly name: string
  readonly reason: "malformed" | "reserved"
}> {
  override get message() {
    if (this.reason === "reserved") {
      return `No agent can have the name ${this.name}: "/api/state/shared" means the shared state`
    }
    return `${JSON.stringify(this.name)} is no name for an agent: 1 to 64 letters, digits, "-", "_" and ".", `
      + `with a letter or digit first`
  }
}

/** A key that an agent cannot be given: not 64 hexadecimal characters, or another agent's. */
export class InvalidApiKey extends Data.TaggedError("InvalidApiKey")<{ readonly reason: "malformed" | "in-use" }> {
  override get message() {
    return this.reason === "malformed"
      ? "An API key has 64 hexadecimal characters"
      : "Another agent has this API key"
  }
}

/** The key is no agent's. */
export class InvalidCredentials extends Data.TaggedError("InvalidCredentials") {
  override get message() {
    return "The API key is not valid"
  }
}
