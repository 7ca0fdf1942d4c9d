import * as Schema from "effect/Schema"
import { DestinationExists, PathOutOfScope } from "../errors/filesystem.js"
import { InvalidInput } from "../errors/general.js"
import {
  ChecksumMismatch,
  DnsResolutionFailed,
  DomainNotAllowed,
  DownloadFailed,
  HostNotAllowed,
  PortCheckFailed,
  RequestFailed
} from "../errors/network.js"
import { ScopeViolation, SecretNotFound, VaultLocked } from "../errors/secrets.js"
import { FilesystemPath, Integer, Sha256, Url } from "../schema/primitives.js"
import { failure, make, optional } from "./Capability.js"

const Headers = Schema.Record({ key: Schema.String, value: Schema.String })

const Port = Integer.pipe(Schema.between(1, 65_535))

const requestTimeout = optional(Integer.pipe(Schema.between(1, 300)), 30)

const response = { status_code: Integer, headers: Headers, body: Schema.String, duration_ms: Integer }

const placeholder = "{secret}"

const SecretFormat = Schema.String.pipe(
  Schema.pattern(/\{secret\}/, { message: () => `a format says where the secret goes with ${placeholder}` }),
  Schema.filter((format) => format.split(placeholder).length === 2, {
    message: () => `a format has ${placeholder} only once`
  })
)

const CredentialPlacement = Schema.Struct({
  type: Schema.Literal("header", "query"),
  name: Schema.String,
  format: SecretFormat
})

export const httpRequest = make("network.http_request", {
  tier: "notify",
  tags: ["network", "http", "egress"],
  inputs: {
    url: Url,
    method: optional(Schema.Literal("GET", "POST", "PUT", "DELETE", "PATCH", "HEAD", "OPTIONS"), "GET"),
    headers: optional(Headers),
    body: optional(Schema.String),
    timeout: requestTimeout,
    follow_redirects: optional(Schema.Boolean, true)
  },
  outputs: { ...response, url: Url },
  errors: {
    DomainNotAllowed: failure(DomainNotAllowed, "check_policy", "request_access"),
    InvalidUrl: failure(InvalidInput, "fix_url"),
    RequestFailed: failure(RequestFailed, "retry", "increase_timeout"),
    InvalidMethod: failure(InvalidInput, "use_valid_method")
  },
  sideEffects: ["not reversible"]
})

export const dnsLookup = make("network.dns_lookup", {
  tier: "autonomous",
  tags: ["network", "dns", "safe"],
  inputs: { hostname: Schema.String },
  outputs: { addresses: Schema.Array(Schema.String), hostname: Schema.String },
  errors: { DnsResolutionFailed: failure(DnsResolutionFailed, "check_hostname", "retry") }
})

export const download = make("network.download", {
  tier: "notify",
  tags: ["network", "download", "filesystem", "egress"],
  inputs: {
    url: Url,
    path: FilesystemPath,
    overwrite: optional(Schema.Boolean, false),
    expected_checksum: optional(Sha256)
  },
  outputs: { path: FilesystemPath, size: Integer, checksum: Sha256, duration_ms: Integer },
  errors: {
    DomainNotAllowed: failure(DomainNotAllowed, "check_policy"),
    InvalidUrl: failure(InvalidInput, "fix_url"),
    PathOutOfScope: failure(PathOutOfScope, "check_scope"),
    DestinationExists: failure(DestinationExists, "overwrite"),
    ChecksumMismatch: failure(ChecksumMismatch, "retry", "verify_checksum"),
    DownloadFailed: failure(DownloadFailed, "retry")
  },
  sideEffects: ["reversible"]
})

export const portCheck = make("network.port_check", {
  tier: "autonomous",
  tags: ["network", "diagnostics", "safe"],
  inputs: { host: Schema.String, port: Port, timeout: optional(Integer.pipe(Schema.between(1, 30)), 5) },
  outputs: { open: Schema.Boolean, latency_ms: Schema.NullOr(Integer), host: Schema.String, port: Integer },
  errors: {
    InvalidPort: failure(InvalidInput, "fix_port"),
    ConnectionFailed: failure(PortCheckFailed, "check_host", "retry")
  }
})

export const credentialedRequest = make("network.credentialed_request", {
  tier: "notify",
  tags: ["network", "secrets", "external", "credentialed"],
  inputs: {
    url: Url,
    secret_name: Schema.String,
    method: optional(Schema.Literal("GET", "POST", "PUT", "DELETE", "PATCH", "HEAD"), "GET"),
    headers: optional(Headers),
    body: optional(Schema.String),
    timeout: requestTimeout,
    credential_placement: optional(CredentialPlacement, {
      type: "header",
      name: "Authorization",
      format: `Bearer ${placeholder}`
    })
  },
  outputs: response,
  errors: {
    ScopeViolation: failure(ScopeViolation, "check_secrets"),
    HostNotAllowed: failure(HostNotAllowed, "alert_supervisor"),
    SecretNotFound: failure(SecretNotFound, "check_secrets"),
    VaultLocked: failure(VaultLocked, "alert_supervisor")
  }
})
