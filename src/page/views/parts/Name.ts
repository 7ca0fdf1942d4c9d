import { html } from "htm/preact"
import { h } from "preact"
import { SafeText } from "./SafeText.js"

const colours = 6

const colourOf = (name: string): number => {
  let sum = 7
  for (const character of name) sum = (sum * 31 + (character.codePointAt(0) ?? 0)) % 9973
  return sum % colours
}

/** The name of an agent, with a colour that is always the same for it. */
export const AgentName = ({ name }: { readonly name: string }) =>
  html`<span class="agent"><span class="dot colour-${colourOf(name)}" aria-hidden="true"></span>${
    h(SafeText, { text: name })
  }</span>`

/** The name of a capability. */
export const CapabilityName = ({ name }: { readonly name: string }) =>
  html`<code class="capability">${h(SafeText, { text: name })}</code>`
