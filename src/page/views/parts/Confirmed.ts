import { html } from "htm/preact"
import { useLayoutEffect, useRef, useState } from "preact/hooks"

const Question = ({ act, cancel, confirm, question }: {
  readonly question: string
  readonly confirm: string
  readonly act: () => void
  readonly cancel: () => void
}) => {
  const first = useRef<HTMLButtonElement>(null)
  useLayoutEffect(() => first.current?.focus(), [])
  const leave = (event: KeyboardEvent) => {
    if (event.key !== "Escape") return
    event.stopPropagation()
    cancel()
  }
  return html`
    <span class="question" role="group" aria-label=${question} onKeyDown=${leave}>
      <span>${question}</span>
      <button type="button" class="danger" ref=${first} onClick=${act}>${confirm}</button>
      <button type="button" onClick=${cancel}>Cancel</button>
    </span>`
}

/** A button that asks once more, in its own place, before it acts. */
export const Confirmed = ({ act, confirm, label, name, question }: {
  readonly label: string
  /** What the button does, for screen readers. */
  readonly name: string
  readonly question: string
  readonly confirm: string
  readonly act: () => void
}) => {
  const [isAsking, setAsking] = useState(false)
  const button = useRef<HTMLButtonElement>(null)
  const end = () => {
    setAsking(false)
    requestAnimationFrame(() => button.current?.focus())
  }
  const agree = () => {
    end()
    act()
  }
  return isAsking
    ? html`<${Question} question=${question} confirm=${confirm} act=${agree} cancel=${end} />`
    : html`<button type="button" ref=${button} aria-label=${name} onClick=${() => setAsking(true)}>${label}</button>`
}
