declare module "picomatch" {
  const picomatch: (
    glob: string,
    options: { readonly dot: boolean; readonly basename: boolean }
  ) => (path: string) => boolean
  export default picomatch
}
