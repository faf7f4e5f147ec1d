// Values as the text that a store keeps. The danger it guards against: a value that vanishes on its way into the store.

/** @throws TypeError for what JSON cannot say at all */
export function textOf(value: unknown): string {
  const text: string | undefined = JSON.stringify(value)
  if (text === undefined) throw new TypeError('only what JSON can say can be stored')
  return text
}

export const parse = (text: string): unknown => JSON.parse(text)
