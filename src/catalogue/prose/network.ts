import type * as entries from "../network.js"
import type { Proses } from "../Prose.js"

type Network = { readonly [C in (typeof entries)[keyof typeof entries] as C["name"]]: C }

const domainNotAllowed = "The policy does not allow this host, or one that the answer redirects to."

const invalidUrl = "The URL cannot be understood, or is neither http nor https."

const response = {
  status_code: "The HTTP status; 404 or 500 is an answer, not an error.",
  headers: "The headers of the answer.",
  duration_ms: "How long it took, in milliseconds."
}

/** The words of `network.*`. */
export const network: Proses<Network> = {
  "network.http_request": {
    purpose: "Sends an HTTP request and gives the answer: status, headers and body.",
    whenToUse:
      "Use it for pages and open interfaces, on hosts that the policy allows. To put the answer into a file take " +
      "network.download; if a key is needed, network.credentialed_request. After an unclear outcome repeat only " +
      "what does no harm twice.",
    inputs: {
      url: "The whole URL.",
      method: "The HTTP method.",
      headers: "Headers to send, by name.",
      body: "The body to send; ignored with GET and HEAD.",
      timeout: "How many seconds it may take; up to 300.",
      follow_redirects: "Whether redirects are followed, up to 10 of them."
    },
    outputs: {
      ...response,
      body: "The body of the answer; base64 when it is binary.",
      url: "The URL that answered, after redirects."
    },
    errors: {
      DomainNotAllowed: domainNotAllowed,
      InvalidUrl: invalidUrl,
      RequestFailed: "No answer came: the host was not reached, was too slow, or broke off.",
      InvalidMethod: "The method is none of those that are listed."
    },
    sideEffects: ["The host received the request and may have acted on it."],
    commonPatterns: [
      {
        description: "Read an interface that answers in JSON",
        steps: ["network.http_request with the header Accept: application/json", "Check status_code, then parse body"]
      },
      {
        description: "Send JSON",
        steps: ["network.http_request with method POST, the header Content-Type: application/json, and body"]
      }
    ]
  },
  "network.dns_lookup": {
    purpose: "Resolves a host name to its IP addresses.",
    whenToUse: "Use it when a request fails, to tell a wrong name from a host that is down. Whether a service " +
      "answers is what network.port_check tells.",
    inputs: { hostname: "The name alone, such as example.com: no scheme, port or path." },
    outputs: { addresses: "Its IPv4 and IPv6 addresses.", hostname: "The name that was resolved." },
    errors: { DnsResolutionFailed: "The name has no address, or no name server answered." },
    sideEffects: [],
    commonPatterns: [{
      description: "Find out why a host is not reached",
      steps: ["network.dns_lookup of its name", "network.port_check of the port, if there is an address"]
    }]
  },
  "network.download": {
    purpose: "Downloads a URL into a file of the workspace and gives its size and checksum.",
    whenToUse: "Use it for what is large, binary or needed as a file. To look at a short text network.http_request " +
      "is simpler, for a whole repository git.clone.",
    inputs: {
      url: "The whole URL.",
      path: "The file to write: /workspace/…, or relative to the workspace.",
      overwrite: "Whether a file at the path is replaced.",
      expected_checksum: "The SHA-256 that the file must have, in hexadecimal; if it differs, the file is removed."
    },
    outputs: {
      path: "The file, as /workspace/….",
      size: "Its size in bytes.",
      checksum: "Its SHA-256, in hexadecimal.",
      duration_ms: "How long it took, in milliseconds."
    },
    errors: {
      DomainNotAllowed: domainNotAllowed,
      InvalidUrl: invalidUrl,
      PathOutOfScope: "The path leads out of the workspace, by itself or through a symbolic link.",
      DestinationExists: "There is something at the path, and overwrite is not set.",
      ChecksumMismatch: "The file is not the one that was expected; it was removed.",
      DownloadFailed: "The host did not give the file, or broke off."
    },
    sideEffects: ["The file is in the workspace."],
    commonPatterns: [{
      description: "Fetch a release and be sure of it",
      steps: [
        "network.http_request for the checksum that the project publishes",
        "network.download with expected_checksum"
      ]
    }]
  },
  "network.port_check": {
    purpose: "Tells whether a TCP port of a host accepts connections, and how quickly.",
    whenToUse: "Use it to see whether a service is up, or to wait for one that was just started. A closed port is an " +
      "answer, not an error.",
    inputs: {
      host: "The name or the IP address of the host.",
      port: "The port, 1 to 65535.",
      timeout: "How many seconds to try; up to 30."
    },
    outputs: {
      open: "Whether the port accepted the connection.",
      latency_ms: "How long that took, in milliseconds; null when it is not open.",
      host: "The host that was tried.",
      port: "The port that was tried."
    },
    errors: {
      InvalidPort: "The port is not between 1 and 65535.",
      ConnectionFailed: "It could not be tried, for instance because the name has no address."
    },
    sideEffects: [],
    commonPatterns: [{
      description: "Wait for a server that you started",
      steps: ["process.run with background true", "network.port_check until open is true"]
    }]
  },
  "network.credentialed_request": {
    purpose: "Sends an HTTP request with a secret from the vault in it; you never see the secret.",
    whenToUse:
      "Use it for interfaces that need a key or a token. Never put a key into network.http_request by hand. The host " +
      "has to be allowed by the policy and be one of the secret's own hosts. Without a secret take " +
      "network.http_request.",
    inputs: {
      url: "The whole URL.",
      secret_name: "The name of the secret, as secrets.list gives it. Of an OAuth token the access token is sent.",
      method: "The HTTP method.",
      headers: "Further headers; none may have the name that the credential goes into.",
      body: "The body to send; ignored with GET and HEAD.",
      timeout: "How many seconds it may take; up to 300.",
      credential_placement:
        "Where the secret goes: type header or query, the name of that header or parameter, and a format with " +
        "{secret} in it once."
    },
    outputs: {
      ...response,
      body: "The body of the answer; where it repeats the secret, that part reads [REDACTED]."
    },
    errors: {
      ScopeViolation: "The secret may not be used for this capability.",
      HostNotAllowed: "The policy does not allow this host, or the secret may not be sent to it.",
      SecretNotFound: "There is no such secret for you; one that was revoked looks the same.",
      VaultLocked: "The vault is locked."
    },
    sideEffects: [],
    commonPatterns: [
      {
        description: "Call an interface with a bearer token",
        steps: ["secrets.list for the name", "network.credentialed_request with url and secret_name"]
      },
      {
        description: "Call one that wants its key in a header of its own",
        steps: [
          "network.credentialed_request with credential_placement {type: \"header\", name: \"X-Api-Key\", format: \"{secret}\"}"
        ]
      }
    ]
  }
}
