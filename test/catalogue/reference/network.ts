import type { Reference } from "./Documented.js"

/** `network.*`, as documented. */
export const network: Reference = {
  "network.http_request": {
    tier: "notify",
    version: "1.0",
    tags: "network, http, egress",
    inputs: {
      url: "URL",
      method: "String? = \"GET\"",
      headers: "Object?",
      body: "String?",
      timeout: "Integer? = 30",
      follow_redirects: "Boolean? = true"
    },
    outputs: { status_code: "Integer", headers: "Object", body: "String", duration_ms: "Integer", url: "URL" },
    errors: {
      DomainNotAllowed: "check_policy, request_access",
      InvalidUrl: "fix_url",
      RequestFailed: "retry, increase_timeout",
      InvalidMethod: "use_valid_method"
    },
    sideEffects: ["not reversible"]
  },
  "network.dns_lookup": {
    tier: "autonomous",
    version: "1.0",
    tags: "network, dns, safe",
    inputs: { hostname: "String" },
    outputs: { addresses: "Array", hostname: "String" },
    errors: { DnsResolutionFailed: "check_hostname, retry" }
  },
  "network.download": {
    tier: "notify",
    version: "1.0",
    tags: "network, download, filesystem, egress",
    inputs: {
      url: "URL",
      path: "FilesystemPath",
      overwrite: "Boolean? = false",
      expected_checksum: "SHA256?"
    },
    outputs: { path: "FilesystemPath", size: "Integer", checksum: "SHA256", duration_ms: "Integer" },
    errors: {
      DomainNotAllowed: "check_policy",
      InvalidUrl: "fix_url",
      PathOutOfScope: "check_scope",
      DestinationExists: "overwrite",
      ChecksumMismatch: "retry, verify_checksum",
      DownloadFailed: "retry"
    },
    sideEffects: ["reversible"]
  },
  "network.port_check": {
    tier: "autonomous",
    version: "1.0",
    tags: "network, diagnostics, safe",
    inputs: { host: "String", port: "Integer", timeout: "Integer? = 5" },
    outputs: { open: "Boolean", latency_ms: "Integer", host: "String", port: "Integer" },
    errors: { InvalidPort: "fix_port", ConnectionFailed: "check_host, retry" }
  },
  "network.credentialed_request": {
    tier: "notify",
    version: "1.0",
    tags: "network, secrets, external, credentialed",
    inputs: {
      url: "URL",
      secret_name: "String",
      method: "String? = \"GET\"",
      headers: "Object?",
      body: "String?",
      timeout: "Integer? = 30",
      credential_placement:
        "Object? = {\"type\": \"header\", \"name\": \"Authorization\", \"format\": \"Bearer {secret}\"}"
    },
    outputs: { status_code: "Integer", headers: "Object", body: "String", duration_ms: "Integer" },
    errors: {
      ScopeViolation: "check_secrets",
      HostNotAllowed: "alert_supervisor",
      SecretNotFound: "check_secrets",
      VaultLocked: "alert_supervisor"
    }
  }
}
