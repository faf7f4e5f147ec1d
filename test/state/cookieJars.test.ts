import { expect, test } from 'vitest'
import { fieldsOf } from '../../gateway/message/fields.ts'
import { createCookieJars } from '../../gateway/state/cookieJars.ts'

const wall = Date.parse('2026-01-01T00:00:00Z')

function jarsAt(clock = { wall }) {
  const jars = createCookieJars(() => clock.wall)
  return {
    clock,
    keep: (owner: string | undefined, set: readonly string[], dropped?: string) =>
      jars.keep(owner, fieldsOf(set.flatMap((value) => ['Set-Cookie', value])), dropped),
    sent: (owner: string, cookie?: string) =>
      jars.overlay(owner, fieldsOf(cookie === undefined ? [] : ['Cookie', cookie])).get('cookie'),
  }
}

test("what the candidate has set goes with that client's next leg, over the client's own", () => {
  const { keep, sent } = jarsAt()
  keep('ada', ['cart=7; Path=/; HttpOnly', 'lang=en'])
  expect(sent('ada', 'SESSION=1; lang=de')).toBe('SESSION=1; cart=7; lang=en')
  expect(sent('ada')).toBe('cart=7; lang=en')
  expect(sent('bob', 'SESSION=2')).toBe('SESSION=2')
})

test('the session cookie is never kept, and counted', () => {
  const { keep, sent } = jarsAt()
  expect(keep('ada', ['SESSION=evil', 'x=1', 'SESSION=; Max-Age=0'], 'SESSION')).toBe(2)
  expect(sent('ada', 'SESSION=mine')).toBe('SESSION=mine; x=1')
})

test('of an answer to nobody in particular nothing is kept, but the session cookie is counted', () => {
  const { keep } = jarsAt()
  expect(keep(undefined, ['SESSION=evil', 'x=1'], 'SESSION')).toBe(1)
})

test('a cookie ends at its time, and one that the candidate has taken back hides the client’s own', () => {
  const { clock, keep, sent } = jarsAt({ wall })
  keep('ada', ['a=1; Max-Age=60', 'b=2'])
  keep('ada', ['b=; Max-Age=0'])
  expect(sent('ada', 'b=own')).toBe('a=1')
  clock.wall += 60_000
  expect(sent('ada', 'b=own')).toBeUndefined()
})

test('a jar takes no more than a Cookie field may be long', () => {
  const { keep, sent } = jarsAt()
  keep(
    'ada',
    Array.from({ length: 500 }, (_, i) => `c${i}=${'x'.repeat(200)}`),
  )
  keep('ada', [`big=${'x'.repeat(9_000)}`])
  const line = sent('ada') ?? ''
  expect(line.length).toBeGreaterThan(4_000)
  expect(line.length).toBeLessThan(8 * 1024)
  expect(line).not.toContain('big=')
})

test('all jars together stay below sixteen mebibytes; those used least lately go', () => {
  const { keep, sent } = jarsAt()
  const full = [`c=${'x'.repeat(8_000)}`]
  for (let i = 0; i < 2_000; i++) keep(`client ${i}`, full)
  expect(sent('client 0')).toBeDefined()
  for (let i = 2_000; i < 3_000; i++) keep(`client ${i}`, full)
  expect(sent('client 0')).toBeDefined()
  expect(sent('client 1')).toBeUndefined()
  expect(sent('client 2999')).toBeDefined()
  const kept = Array.from({ length: 3_000 }, (_, i) => sent(`client ${i}`)).filter(Boolean).length
  expect(kept * 8_000).toBeLessThan(16 * 1024 * 1024)
  expect(kept).toBeGreaterThan(1_900)
})

test('there are at most ten thousand jars', () => {
  const { keep, sent } = jarsAt()
  for (let i = 0; i <= 10_000; i++) keep(`client ${i}`, ['a=1'])
  expect(sent('client 0')).toBeUndefined()
  expect(sent('client 1')).toBe('a=1')
})
