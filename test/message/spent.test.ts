import { expect, test } from 'vitest'
import { spend } from '../../gateway/message/spent.ts'

// What it saves is shown by test/journey/memory.test.ts, on a process of its own.
test('the collector is called and nobody else is given it', () => {
  expect(() => spend(64 * 1024 * 1024)).not.toThrow()
  expect(globalThis.gc).toBeUndefined()
})
