// What the gateway proves itself to an upstream with, as the file has it; model.ts passes it on. Imports nothing of ours.
// The danger it guards against: a secret that is taken for something that may be shown.

export interface SecretSettings {
  /** The field that carries it; a client's own of that name is not passed on. */
  readonly field: string
  /** How it stands there: `Bearer …`, `Basic …` of a pair `user:password`, or as it is. */
  readonly scheme: 'bearer' | 'basic' | 'plain'
  /** The newest first, two at most; shown nowhere. Or the absolute path of a file with one in each line. */
  readonly source: { readonly values: readonly string[] } | { readonly file: string }
}
