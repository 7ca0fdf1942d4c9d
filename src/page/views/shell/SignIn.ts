import * as Redacted from "effect/Redacted"
import { html } from "htm/preact"
import { useRef } from "preact/hooks"
import { signIn } from "../../state/session.js"

/** Asks for the token. */
export const SignIn = ({ message }: { readonly message: string | undefined }) => {
  const field = useRef<HTMLInputElement>(null)
  const submit = (event: Event) => {
    event.preventDefault()
    const token = field.current?.value.trim() ?? ""
    if (token === "") field.current?.focus()
    else signIn(Redacted.make(token))
  }
  return html`
    <main class="sign-in">
      <img src="/icon.svg" alt="" width="48" height="48" />
      <h1>KruxOS</h1>
      <p>Agents of this gateway ask here before they do what needs a human.</p>
      ${message !== undefined && html`<p class="notice bad" role="alert">${message}</p>`}
      <form onSubmit=${submit}>
        <label for="token">Supervisor token</label>
        <input id="token" ref=${field} type="password" autocomplete="off" spellcheck="false" required autofocus
          placeholder="krx_user_…" aria-describedby="token-help" />
        <button type="submit" class="primary">Open</button>
        <p id="token-help" class="hint">
          It is in the file <code>supervisor.token</code> of the gateway's data, and in its ready line. This tab keeps it until
          it is closed.
        </p>
      </form>
    </main>`
}
