// Whose a client is, of several targets, by nothing but their names: every gateway says the same, and remembers nothing. Each
// target draws a number for each client, and the highest wins (Thaler and Ravishankar, "Using Name-Based Mappings to Increase
// Hit Rates").
// The danger it guards against: a target that comes or goes and takes the clients of all others from their sessions. Here only its
// own move.
import { hash } from 'node:crypto'

/** @returns undefined when there is none */
export function ownerOf<T extends { readonly origin: string }>(client: string, targets: readonly T[]): T | undefined {
  let owner: T | undefined
  let highest = -1
  for (const target of targets) {
    const drawn = draw(`${target.origin} ${client}`)
    if (drawn <= highest) continue
    owner = target
    highest = drawn
  }
  return owner
}

/** FNV-1a, finished as MurmurHash3 is, so that a last character changes all bits: a tenth of what SHA-256 takes. */
function draw(text: string): number {
  let drawn = 0x811c9dc5
  for (let i = 0; i < text.length; i += 1) drawn = Math.imul(drawn ^ text.charCodeAt(i), 0x01000193)
  drawn = Math.imul(drawn ^ (drawn >>> 16), 0x85ebca6b)
  drawn = Math.imul(drawn ^ (drawn >>> 13), 0xc2b2ae35)
  return (drawn ^ (drawn >>> 16)) >>> 0
}

/** What a cookie may call a target by: the same from every gateway, and not its address, which is nobody's business. */
export function idOf(upstream: string, origin: string): string {
  return hash('sha256', `${upstream} ${origin}`, 'base64url').slice(0, 16)
}
