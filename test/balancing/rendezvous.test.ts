// Whose a client is, by nothing but the targets' names.
import { expect, test } from 'vitest'
import { idOf, ownerOf } from '../../gateway/balancing/rendezvous.ts'

const targets = Array.from({ length: 5 }, (_, i) => ({ origin: `http://10.0.0.${i}:80` }))
const clients = Array.from({ length: 5_000 }, (_, i) => `192.0.2.${i}`)
const ownersAmong = (some: readonly { readonly origin: string }[]) =>
  clients.map((client) => ownerOf(client, some)?.origin)

test('each target has its part of the clients', () => {
  const owners = ownersAmong(targets)
  for (const { origin } of targets) {
    const count = owners.filter((owner) => owner === origin).length
    expect(Math.abs(count - 1_000)).toBeLessThan(120)
  }
})

test('a target that goes moves its own clients and nobody else, and to all of the others', () => {
  const gone = targets[2]?.origin
  const before = ownersAmong(targets)
  const after = ownersAmong(targets.filter(({ origin }) => origin !== gone))
  const moved = clients.map((_, i) => i).filter((i) => before[i] !== after[i])
  expect(moved.every((i) => before[i] === gone)).toBe(true)
  expect(new Set(moved.map((i) => after[i])).size).toBe(4)
})

test('a target that comes takes its part from all, and the rest stay where they are', () => {
  const fresh = { origin: 'http://10.0.0.9:80' }
  const before = ownersAmong(targets)
  const after = ownersAmong([fresh, ...targets])
  const moved = clients.map((_, i) => i).filter((i) => before[i] !== after[i])
  expect(moved.every((i) => after[i] === fresh.origin)).toBe(true)
  expect(Math.abs(moved.length - 5_000 / 6)).toBeLessThan(120)
})

test('of none there is no owner', () => {
  expect(ownerOf('192.0.2.1', [])).toBeUndefined()
})

test('what a cookie calls a target by does not show where it is, and is another one for each upstream', () => {
  const ids = targets.flatMap(({ origin }) => [idOf('old', origin), idOf('new', origin)])
  expect(new Set(ids).size).toBe(10)
  for (const id of ids) expect(id).toMatch(/^[\w-]{16}$/)
  expect(idOf('old', 'http://10.0.0.1:80')).toBe(idOf('old', 'http://10.0.0.1:80'))
})
