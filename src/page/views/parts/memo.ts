import { Component, type ComponentType, type FunctionComponent, h } from "preact"

const isSame = <P extends object>(one: P, other: P): boolean => {
  const names = new Set([...Object.keys(one), ...Object.keys(other)])
  for (const name of names) if (Reflect.get(one, name) !== Reflect.get(other, name)) return false
  return true
}

/** A view that is rendered again only when it is given something else. */
export const memo = <P extends object>(view: FunctionComponent<P>): ComponentType<P> =>
  class extends Component<P> {
    override shouldComponentUpdate(next: Readonly<P>) {
      return !isSame<object>(this.props, next)
    }
    override render() {
      return h(view, this.props)
    }
  }
