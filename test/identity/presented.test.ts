// Which credential of a request counts, and which are taken off it.
import { expect, test } from 'vitest'
import { presentedBy, withoutKeys } from '../../gateway/identity/presented.ts'
import { fieldsOf } from '../../gateway/message/fields.ts'
import type { CredentialKind } from '../../gateway/model.ts'

const all: readonly CredentialKind[] = ['jwt', 'apiKey', 'session']
const shown = (raw: readonly string[], any = all) => presentedBy(fieldsOf(raw), { any }, 'SESSION')

test.each<[string, readonly string[], ReturnType<typeof shown>]>([
  ['a token', ['authorization', 'bEaReR  a.b.c '], { kind: 'jwt', value: 'a.b.c' }],
  ['a key of ours as a token', ['Authorization', 'Bearer byn_live_x'], { kind: 'apiKey', value: 'byn_live_x' }],
  ['a key in its own field', ['X-API-KEY', 'k'], { kind: 'apiKey', value: 'k' }],
  ['two keys', ['X-Api-Key', 'k', 'X-Api-Key', 'l'], { kind: 'apiKey', value: '' }],
  ['a session', ['Cookie', 'a=1; SESSION=s'], { kind: 'session', value: 's' }],
  ['a token beside a session', ['Cookie', 'SESSION=s', 'Authorization', 'Bearer t'], { kind: 'jwt', value: 't' }],
  [
    'another scheme beside a session',
    ['Authorization', 'Basic x', 'Cookie', 'SESSION=s'],
    { kind: 'session', value: 's' },
  ],
  ['a scheme that begins alike', ['Authorization', 'Bearers x'], undefined],
  ['no token', ['Authorization', 'Bearer'], { kind: 'jwt', value: '' }],
  ['two tokens', ['Authorization', 'Bearer a', 'Authorization', 'Bearer a'], { kind: 'jwt', value: '' }],
  ['a token behind a login', ['Authorization', 'Basic a', 'Authorization', 'Bearer b'], { kind: 'jwt', value: '' }],
  ['two logins', ['Authorization', 'Basic a', 'Authorization', 'Basic b'], undefined],
  ['nothing', [], undefined],
])('%s', (_name, raw, expected) => {
  expect(shown(raw)).toEqual(expected)
})

test('what a route does not take is not looked at', () => {
  expect(shown(['Authorization', 'Bearer a.b.c', 'Cookie', 'SESSION=s'], ['session'])).toEqual({
    kind: 'session',
    value: 's',
  })
  expect(shown(['Authorization', 'Bearer a.b.c', 'X-Api-Key', 'k'], ['jwt'])).toEqual({ kind: 'jwt', value: 'a.b.c' })
  expect(shown(['X-Api-Key', 'k'], ['jwt', 'session'])).toBeUndefined()
})

test('keys of ours are taken off wherever they stand, and nothing else', () => {
  const others = ['Authorization', 'Basic x', 'X-Api-Key', 'the monolith’s own', 'authorization', 'Bearer a.b.c']
  const ours = [
    'x-api-key',
    'byn_live_x',
    'AUTHORIZATION',
    'BEARER  byn_live_x',
    'Authorization',
    'Bearer \tbyn_live_x',
  ]
  expect(withoutKeys(fieldsOf([...ours, ...others])).raw).toEqual(others)
  const untouched = fieldsOf(others)
  expect(withoutKeys(untouched)).toBe(untouched)
})
