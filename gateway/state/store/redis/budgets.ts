// Budgets that all replicas draw on: what limiting/budget.ts says, as scripts that Redis runs in one step and by its own clock, so
// that those of the replicas do not matter. What comes in the same turn goes out together.
// The danger it guards against: two replicas that both see the last one that is left.
import { hash } from 'node:crypto'
import type { Redis } from 'ioredis'
import type { Drawn, Settled } from '../../../model.ts'
import type { BudgetStore } from '../port.ts'
import type { Connection } from './connection.ts'

// A level is `USED AT CHARGED BORN`; numbers are written so that they are read back as they were.
const arithmetic = `
local time = redis.call('TIME')
local now = time[1] * 1000 + time[2] / 1000
local dayMs = 86400000
local function levelAt(key, perMs)
  local used, at, charged, born = string.match(redis.call('GET', key) or '', '(%S+) (%S+) (%S+) (%S+)')
  used, at, charged, born = tonumber(used), tonumber(at), tonumber(charged), tonumber(born)
  if not used or (perMs == 0 and math.floor(now / dayMs) > math.floor(at / dayMs)) then return 0, now, 0, now end
  if perMs == 0 then return used, at, charged, born end
  return math.max(0, used - perMs * math.max(0, now - at)), now, charged, born
end
local function text(used, at, charged, born) return string.format('%.17g %.17g %.17g %.17g', used, at, charged, born) end
local function keep(key, perMs, used, at, charged, born)
  local full = used / perMs
  if perMs == 0 then full = (math.floor(at / dayMs) + 1) * dayMs - now end
  if used == 0 then redis.call('DEL', key) return end
  redis.call('SET', key, text(used, at, charged, born), 'PX', string.format('%.0f', math.min(full, 1e12) + 1))
end
`

/** Redis knows it by the digest of its text. */
interface Script {
  readonly text: string
  readonly digest: string
}

const scriptOf = (text: string): Script => ({ text, digest: hash('sha1', text) })

// Of each key: most, perMs, cost, isDry. @return isTaken, and of each key isMet and its level.
const drawScript = scriptOf(`${arithmetic}
local levels, met, taken = {}, {}, 1
for i, key in ipairs(KEYS) do
  local most, perMs, cost, dry = tonumber(ARGV[4*i-3]), tonumber(ARGV[4*i-2]), tonumber(ARGV[4*i-1]), ARGV[4*i]
  levels[i] = { levelAt(key, perMs) }
  met[i] = levels[i][1] + cost <= most + 1e-6 and 1 or 0
  if met[i] == 0 and dry == '0' then taken = 0 end
end
local reply = { taken }
for i, key in ipairs(KEYS) do
  local used, at, charged, born = unpack(levels[i])
  if taken == 1 and met[i] == 1 then
    local perMs, cost = tonumber(ARGV[4*i-2]), tonumber(ARGV[4*i-1])
    used, charged = used + cost, charged + cost
    if cost > 0 then keep(key, perMs, used, at, charged, born) end
  end
  reply[2*i], reply[2*i+1] = met[i], text(used, at, charged, born)
end
return reply`)

// Of each key: perMs, reserved, cost, and `charged` and `born` of the level with the reservation on it.
const settleScript = scriptOf(`${arithmetic}
for i, key in ipairs(KEYS) do
  local perMs, reserved, cost = tonumber(ARGV[5*i-4]), tonumber(ARGV[5*i-3]), tonumber(ARGV[5*i-2])
  local bookedCharged, bookedBorn = tonumber(ARGV[5*i-1]), tonumber(ARGV[5*i])
  local used, at, charged, born = levelAt(key, perMs)
  if cost >= reserved then
    used, charged = used + cost - reserved, charged + cost - reserved
  elseif born == bookedBorn then
    used = used - math.max(0, math.min(reserved - cost, bookedCharged - (charged - used)))
  end
  keep(key, perMs, used, at, charged, born)
end`)

interface Call {
  readonly script: Script
  readonly keys: readonly string[]
  readonly args: readonly (string | number)[]
  resolve(reply: unknown): void
  reject(thrown: unknown): void
}

export function createBudgets({ ask }: Connection, prefix: string, withinMs: number): BudgetStore {
  let waiting: Call[] = []
  const keyOf = ({ key }: { readonly key: string }) => `${prefix}budget:${key}`

  function run(script: Script, keys: readonly string[], args: Call['args']): Promise<unknown> {
    return new Promise((resolve, reject) => {
      waiting.push({ script, keys, args, resolve, reject })
      if (waiting.length === 1) setImmediate(send)
    })
  }

  function send(): void {
    const calls = waiting
    waiting = []
    ask((redis) => runAll(redis, calls), withinMs).then(
      (replies) => calls.forEach(({ resolve }, i) => void resolve(replies[i])),
      (thrown) => {
        for (const { reject } of calls) reject(thrown)
      },
    )
  }

  return {
    async draw(charges) {
      const args = charges.flatMap(({ budget, cost, isDry }) => [budget.most, budget.perMs, cost, isDry ? 1 : 0])
      const [taken, ...drawn] = (await run(drawScript, charges.map(keyOf), args)) as [number, ...unknown[]]
      return { isTaken: taken === 1, drawn: charges.map((_, i) => readDrawn(drawn[2 * i], drawn[2 * i + 1])) }
    },
    async settle(settled) {
      await run(
        settleScript,
        settled.map(({ charge }) => keyOf(charge)),
        settled.flatMap(argsOf),
      )
    },
  }
}

function argsOf({ charge: { budget, cost: reserved, level }, cost }: Settled): readonly number[] {
  return [budget.perMs, reserved, cost, level.charged, level.born]
}

function readDrawn(isMet: unknown, level: unknown): Drawn {
  const [used = 0, at = 0, charged = 0, born = 0] = String(level).split(' ').map(Number)
  return { isMet: isMet === 1, level: { used, at, charged, born } }
}

/** Those that Redis does not know yet, or not any more, are told to it first. */
async function runAll(redis: Redis, calls: readonly Call[]): Promise<readonly unknown[]> {
  const replies = await runKnown(redis, calls)
  const unknown = calls.filter((_, i) => isUnknown(replies[i]))
  if (unknown.length === 0) return replies
  for (const text of new Set(unknown.map(({ script }) => script.text))) await redis.script('LOAD', text)
  const again = (await runKnown(redis, unknown)).values()
  return replies.map((reply) => (isUnknown(reply) ? again.next().value : reply))
}

/** @throws what Redis says of one but that it does not know the script, which is a reply */
async function runKnown(redis: Redis, calls: readonly Call[]): Promise<readonly unknown[]> {
  const pipeline = redis.pipeline()
  for (const { script, keys, args } of calls) pipeline.evalsha(script.digest, keys.length, ...keys, ...args)
  const replies = (await pipeline.exec()) ?? []
  return replies.map(([error, reply]) => {
    if (error && !isUnknown(error)) throw error
    return error ?? reply
  })
}

function isUnknown(reply: unknown): boolean {
  return reply instanceof Error && reply.message.startsWith('NOSCRIPT')
}
