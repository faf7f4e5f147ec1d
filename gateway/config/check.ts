// What the file says against the schema: defaults are filled in, and every mistake becomes a Problem.
// The danger it guards against: one mistake reported as five, as Ajv does for a key that may take several forms.
import { Ajv, type ErrorObject, type ValidateFunction } from 'ajv'
import type { FilterKind } from '../filter.ts'
import type { Written } from './document.ts'
import { fileSchema } from './fileSchema.ts'
import { below, parentOf, valueAt } from './pointer.ts'
import type { Findings } from './problems.ts'
import { sentenceOf } from './sentences.ts'

/** The file's values, defaults filled in, as far as the schema accepts them. */
export interface Checked {
  /** The value at that pointer; undefined when there is none, or when the schema refuses something of it. */
  at<T = unknown>(pointer: string): T | undefined
  /** Whether the mapping at that pointer has a key that nobody declared: then another one may be missing only because of it. */
  hasUnknownKey(pointer: string): boolean
}

const compiled = new WeakMap<readonly FilterKind[], ValidateFunction>()

/** Fills the defaults into `written.value`, in place. */
export function check(written: Written, kinds: readonly FilterKind[], findings: Findings): Checked {
  const validate = compiled.get(kinds) ?? compile(kinds)
  const errors = validate(written.value) ? [] : withoutConsequences(validate.errors ?? [])
  for (const error of errors) if (!written.unresolved.has(error.instancePath)) report(error, written, findings)
  const refused = new Set(
    [...errors.map(({ instancePath }) => instancePath), ...written.unresolved].flatMap(withParents),
  )
  const unknown = errors.filter(({ keyword }) => keyword === 'additionalProperties')
  const withUnknown = new Set(unknown.map(({ instancePath }) => instancePath))
  return {
    at: <T>(pointer: string) => (refused.has(pointer) ? undefined : (valueAt(written.value, pointer) as T)),
    hasUnknownKey: (pointer) => withUnknown.has(pointer),
  }
}

function withParents(pointer: string): string[] {
  return pointer === '' ? [''] : [pointer, ...withParents(parentOf(pointer))]
}

function compile(kinds: readonly FilterKind[]): ValidateFunction {
  const ajv = new Ajv({ allErrors: true, useDefaults: true, verbose: true, strict: true, allowUnionTypes: true })
  const validate = ajv.compile(fileSchema(kinds))
  compiled.set(kinds, validate)
  return validate
}

function report(error: ErrorObject, written: Written, findings: Findings): void {
  const { keyword, params, instancePath } = error
  const key: string | undefined =
    params.additionalProperty ?? (keyword === 'propertyNames' ? params.propertyName : undefined)
  const pointer = key === undefined ? instancePath : below(instancePath, key)
  const isAboutKey = key !== undefined || keyword === 'required' || error.data === null
  const at = isAboutKey ? written.keyPositionOf(pointer) : written.positionOf(pointer)
  findings.error(at, sentenceOf(error, written.wordsAt(pointer)))
}

/**
 * Of a value that may take several forms (`anyOf`): the mistakes in the one form that it has, else one that names the forms.
 * `propertyNames` comes with the reason why, which its own sentence gives.
 */
function withoutConsequences(errors: readonly ErrorObject[]): ErrorObject[] {
  const forms = errors.filter(({ keyword }) => keyword === 'anyOf')
  const fitting = new Set(forms.map((form) => formOf(form, errors)).filter((form) => form !== undefined))
  return errors.filter((error) => {
    if (error.propertyName !== undefined) return false
    const around = forms.filter((form) => error !== form && isWithin(error, form))
    if (error.keyword === 'anyOf' && formOf(error, errors) !== undefined) return false
    return around.every((form) => {
      const fits = formOf(form, errors)
      return fits !== undefined && fitting.has(fits) && error.schemaPath.startsWith(fits)
    })
  })
}

/** Of the same value, not of another one that has the same schema. */
function isWithin(error: ErrorObject, form: ErrorObject): boolean {
  const isBelow = `${error.instancePath}/`.startsWith(`${form.instancePath}/`)
  return isBelow && error.schemaPath.startsWith(`${form.schemaPath}/`)
}

/** The schema path of the only form whose type the value has; undefined when there are none or several. */
function formOf(form: ErrorObject, errors: readonly ErrorObject[]): string | undefined {
  const count = Array.isArray(form.schema) ? form.schema.length : 0
  const paths = Array.from({ length: count }, (_, i) => `${form.schemaPath}/${i}/`)
  const isForm = ({ instancePath, keyword }: ErrorObject) =>
    instancePath === form.instancePath && (keyword === 'type' || keyword === 'const' || keyword === 'enum')
  const fitting = paths.filter((path) => !errors.some((error) => isForm(error) && error.schemaPath.startsWith(path)))
  return fitting.length === 1 ? fitting[0] : undefined
}
