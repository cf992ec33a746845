// Views are replaced, never changed: a component whose props are the same objects has nothing new to draw.

import { Component, type ComponentType, createElement, type FunctionComponent } from "preact";

export function memo<P extends object>(inner: FunctionComponent<P>): ComponentType<P> {
  return class Memo extends Component<P> {
    override shouldComponentUpdate(next: Readonly<P>): boolean {
      const keys = Object.keys(next) as (keyof P)[];
      return keys.some((key) => next[key] !== this.props[key]);
    }

    render() {
      return createElement(inner, this.props);
    }
  };
}
