import fc from 'fast-check'
import { expect, test } from 'vitest'
import { FrameFollower } from '../../gateway/message/frames.ts'

/** A frame of that many bytes, masked or not, as RFC 6455 §5.2 draws it. */
function frameOf(payloadBytes: number, isMasked: boolean): Buffer {
  const mask = isMasked ? 0x80 : 0
  const head =
    payloadBytes < 126
      ? Buffer.from([0x82, mask | payloadBytes])
      : payloadBytes < 65_536
        ? Buffer.from([0x82, mask | 126, payloadBytes >> 8, payloadBytes & 0xff])
        : Buffer.concat([Buffer.from([0x82, mask | 127, 0, 0, 0, 0]), uint32(payloadBytes)])
  return Buffer.concat([head, Buffer.alloc(isMasked ? 4 : 0, 0x55), Buffer.alloc(payloadBytes, 0x82)])
}

function uint32(value: number): Buffer {
  const bytes = Buffer.alloc(4)
  bytes.writeUInt32BE(value)
  return bytes
}

test('the end of each frame is found however the bytes are cut', () => {
  const sizes = fc.oneof(fc.integer({ min: 0, max: 130 }), fc.constantFrom(65_535, 65_536, 70_000))
  const frames = fc.array(fc.tuple(sizes, fc.boolean()), { minLength: 1, maxLength: 5 })
  fc.assert(
    fc.property(frames, fc.array(fc.integer({ min: 1, max: 40_000 }), { minLength: 1 }), (plan, cuts) => {
      const all = plan.map(([bytes, isMasked]) => frameOf(bytes, isMasked))
      const bytes = Buffer.concat(all)
      const ends = new Set(all.map((_, i) => Buffer.concat(all.slice(0, i + 1)).length))
      const follower = new FrameFollower()
      for (let at = 0, i = 0; at < bytes.length; i += 1) {
        const next = Math.min(bytes.length, at + (cuts[i % cuts.length] as number))
        const found = follower.follow(bytes.subarray(at, next))
        const expected = [...ends].find((end) => end > at && end <= next)
        expect(found).toBe(expected === undefined ? -1 : expected - at)
        expect(follower.isAtBoundary).toBe(ends.has(next))
        at = next
      }
    }),
    { numRuns: 300 },
  )
})
