declare module 'weighbridge:packed-files' {
  /** Texts for `unpack`, by name. */
  export const packed: Readonly<Record<string, string>>;
}

declare module 'weighbridge:packed-spdx' {
  export const packed: string;
}
