import { expect, test } from 'vitest'
import { spend } from '../../gateway/message/spent.ts'

test('the buffers of a streamed body are collected long before V8 would look', () => {
  const before = process.memoryUsage().arrayBuffers
  let peak = 0
  for (let passed = 0; passed < 4096; passed += 1) {
    spend(Buffer.allocUnsafeSlow(64 * 1024).length)
    peak = Math.max(peak, process.memoryUsage().arrayBuffers - before)
  }
  expect(peak).toBeLessThan(40 * 1024 * 1024)
})

test('nobody else is given the collector', () => {
  expect(globalThis.gc).toBeUndefined()
})
