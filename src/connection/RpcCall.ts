import type { RpcId } from "./jsonRpc.js"
import type { RequestFailure } from "./Peer.js"
import type { Unauthorized } from "./rpcPost.js"
import type { Traffic } from "./Traffic.js"

/** What a call of `/rpc` can fail with. */
export type RpcCallFailure = RequestFailure | Unauthorized

/** A call of `/rpc`. */
export interface RpcCall {
  readonly id: RpcId
  readonly method: string
  readonly params: unknown
  readonly timeoutMillis: number
  /** Whether it may share a body with others: then it is answered when they are. */
  readonly isShareable: boolean
  /** Whether the gateway goes on with it when its HTTP request ends. */
  readonly isKeyed: boolean
  readonly sessionId: string | undefined
  /** Told how large it is, and its answer where that comes alone. */
  readonly traffic: Traffic | undefined
}
