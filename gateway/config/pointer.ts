// Places inside the file as JSON pointers (RFC 6901), the form in which Ajv reports them.
// The danger it guards against: a key with a `/` in it (`10.0.0.0/8`) that points somewhere else.

/** A pointer some steps further down (RFC 6901 §3). */
export function below(pointer: string, ...steps: readonly (string | number)[]): string {
  return steps.reduce<string>((path, step) => `${path}/${escaped(String(step))}`, pointer)
}

/** The mapping or list that it stands in; '' of the whole file. */
export function parentOf(pointer: string): string {
  return pointer.slice(0, Math.max(0, pointer.lastIndexOf('/')))
}

/** Its last step, e.g. `path` of `/routes/0/match/path`. */
export function lastStep(pointer: string): string {
  const step = pointer.slice(pointer.lastIndexOf('/') + 1)
  return step.includes('~') ? step.replaceAll('~1', '/').replaceAll('~0', '~') : step
}

/** What stands there in plain values; undefined when nothing does. */
export function valueAt(value: unknown, pointer: string): unknown {
  if (pointer === '') return value
  const around = valueAt(value, parentOf(pointer))
  const step = lastStep(pointer)
  return isMapping(around) && Object.hasOwn(around, step) ? around[step] : undefined
}

/** Whether it is a mapping, or a list, which is one from numbers. */
export function isMapping(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null
}

function escaped(step: string): string {
  return /[~/]/.test(step) ? step.replaceAll('~', '~0').replaceAll('/', '~1') : step
}
