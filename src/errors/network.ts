import { errorFields, knownNumber, knownText, taggedError } from "./base.js"

/** The policy does not let the agent reach this host. `url` is the one that led there, perhaps by a redirect. */
export class DomainNotAllowed extends taggedError<DomainNotAllowed>()("DomainNotAllowed", {
  domain: knownText,
  url: knownText
}) {}

/** No HTTP answer came: the host was not reached, did not answer in time, or broke off. */
export class RequestFailed extends taggedError<RequestFailed>()("RequestFailed", { url: knownText }, {
  retryable: true
}) {}

/** The name was not resolved to an address. */
export class DnsResolutionFailed extends taggedError<DnsResolutionFailed>()("DnsResolutionFailed", {
  hostname: knownText
}, { retryable: true }) {}

/** What was downloaded is not what was expected, by its SHA-256; the file was removed. */
export class ChecksumMismatch extends taggedError<ChecksumMismatch>()("ChecksumMismatch", {
  expected: knownText,
  actual: knownText
}, { retryable: true }) {}

/** The file was not downloaded, or not to its end. */
export class DownloadFailed extends taggedError<DownloadFailed>()("DownloadFailed", { url: knownText }, {
  retryable: true
}) {}

/**
 * The port could not be checked at all, so that it is not known whether it is open; a port that is closed is no error.
 * On the wire its type is `ConnectionFailed`.
 */
export class PortCheckFailed extends taggedError<PortCheckFailed>()("PortCheckFailed", {
  ...errorFields("ConnectionFailed", { retryable: true }),
  host: knownText,
  port: knownNumber
}) {}

/** The secret may not be sent to this host. */
export class HostNotAllowed extends taggedError<HostNotAllowed>()("HostNotAllowed", {
  host: knownText,
  secretName: knownText
}) {}
