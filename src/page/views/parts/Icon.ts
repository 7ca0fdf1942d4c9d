import { html } from "htm/preact"

const paths = {
  approvals: "M9 11.5l2.2 2.2L15.5 9M12 3l7 3v5.5c0 4.4-2.9 7.6-7 9.5-4.1-1.9-7-5.1-7-9.5V6z",
  alerts: "M12 4l9 16H3zM12 10v4.500M12 17.500h.01",
  activity: "M3 12h4l3-7 4 14 3-7h4",
  agents:
    "M12 4v3M7 7h10a2 2 0 012 2v8a2 2 0 01-2 2H7a2 2 0 01-2-2V9a2 2 0 012-2zM9.5 12v1.5M14.5 12v1.5M2.5 12v3M21.5 12v3",
  state:
    "M4 6.5C4 5 7.6 4 12 4s8 1 8 2.500-3.600 2.500-8 2.500-8-1-8-2.500zM4 6.500v11C4 19 7.600 20 12 20s8-1 8-2.500v-11M4 12c0 1.500 3.600 2.500 8 2.500s8-1 8-2.500",
  health: "M12 20s-7.500-4.600-7.500-10A4.300 4.300 0 0112 7.200 4.300 4.300 0 0119.500 10c0 5.400-7.500 10-7.500 10z",
  close: "M6 6l12 12M18 6L6 18",
  check: "M5 12.500l4.500 4.500L19 7.500",
  system: "M12 4a8 8 0 100 16zM12 4a8 8 0 010 16",
  light:
    "M12 8a4 4 0 100 8 4 4 0 000-8zM12 2.500V5M12 19v2.500M2.500 12H5M19 12h2.500M5.300 5.300L7 7M17 17l1.700 1.700M5.300 18.700L7 17M17 7l1.700-1.700",
  dark: "M20 14.500A8.300 8.300 0 019.500 4 8.300 8.300 0 1020 14.500z",
  keyboard: "M3 7h18v10H3zM7 10.500h.01M10.500 10.500h.01M14 10.500h.01M17.500 10.500h.01M8 14h8",
  leave: "M14 4h5v16h-5M4 12h10M10.500 8.500L14 12l-3.500 3.500",
  bell: "M6 16v-5a6 6 0 0112 0v5l1.500 2h-15zM10 20.500h4",
  chevron: "M9 6l6 6-6 6"
} as const

export type IconName = keyof typeof paths

/** A small drawing in the colour of the text around it; it tells nothing that the text does not. */
export const Icon = ({ name }: { readonly name: IconName }) =>
  html`<svg class="icon" viewBox="0 0 24 24" width="20" height="20" aria-hidden="true" focusable="false"><path d=${
    paths[name]
  } /></svg>`
