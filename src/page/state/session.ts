import type * as Redacted from "effect/Redacted"
import { makeCell } from "./Cell.js"
import { type Desk, openDesk } from "./Desk.js"
import { rememberedToken, rememberToken, takeToken } from "./token.js"

/** Whether the page has a token to work with; `message` says why one was not taken. */
export type Session =
  | { readonly _tag: "SignedOut"; readonly message: string | undefined }
  | { readonly _tag: "SignedIn"; readonly desk: Desk }

/** What the page is doing for whom. */
export const session = makeCell<Session>({ _tag: "SignedOut", message: undefined })

/** Forgets the token and all that was seen with it. */
export const signOut = (message?: string): void => {
  const before = session.get()
  if (before._tag === "SignedIn") before.desk.close()
  rememberToken(undefined)
  session.set({ _tag: "SignedOut", message })
}

/** Works with a token until it is forgotten, or the gateway refuses it. */
export const signIn = (token: Redacted.Redacted<string>): void => {
  const before = session.get()
  if (before._tag === "SignedIn") before.desk.close()
  rememberToken(token)
  const desk = openDesk(token, (message) => {
    const now = session.get()
    if (now._tag === "SignedIn" && now.desk === desk) signOut(message)
  })
  session.set({ _tag: "SignedIn", desk })
}

/** Begins with the token of the address, or with the one that this tab has. */
export const startSession = (): void => {
  const token = takeToken() ?? rememberedToken()
  if (token !== undefined) signIn(token)
}
