/** What each capability does, in one sentence, by name; the build puts the catalogue's words here. */
declare const capabilityPurposes: { readonly [name: string]: string }

const purposes = new Map(Object.entries(capabilityPurposes))

/** What a capability does, in one sentence; undefined for one that is not KruxOS's own. */
export const purposeOf = (capability: string): string | undefined => purposes.get(capability)
