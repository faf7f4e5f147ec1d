import { once } from 'node:events'
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, describe, expect, it } from 'vitest'
import type { Ticker } from '../../load-tests/arrivals.ts'
import { gatherEvidence } from '../../load-tests/evidence.ts'
import { flip } from '../../load-tests/flip.ts'
import { type Operators, operatorsOf } from '../../load-tests/operators.ts'
import { hashOf } from '../../load-tests/routes-file.ts'

const closers: (() => unknown)[] = []
afterEach(async () => {
  for (const close of closers.splice(0).reverse()) await close()
})

/** An admin listener that answers each target from the table, the same or one after the other. */
async function admin(answer: (target: string) => unknown): Promise<Operators> {
  const server = createServer((request, response) => {
    const content = answer(request.url ?? '')
    response.statusCode = content === undefined ? 404 : 200
    response.end(JSON.stringify(content ?? {}))
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const operators = operatorsOf(`http://127.0.0.1:${(server.address() as AddressInfo).port}`)
  closers.push(() => {
    server.close()
    server.closeAllConnections()
  }, operators.close)
  return operators
}

/** Waiting takes no time, but the clock goes on by it. */
function hastyTicker(): Ticker {
  let now = 0
  return {
    now: () => now,
    after: (delayMs, callback) => {
      now += delayMs
      setImmediate(callback)
    },
  }
}

const line = (seq: number, state = 'answered') => ({
  seq,
  id: `id-${seq}`,
  method: 'GET',
  path: '/',
  status: 200,
  state,
})

describe('where a route stands', () => {
  const at = '2026-11-21T12:00:00.250Z'
  const rollback = { by: 'guard', at, reason: 'too many failed', evidence: { spanMs: 5000 } }

  it('is told with why, the verdict, and the decision that holds it there', async () => {
    const operators = await admin((target) =>
      target === '/rollouts/search'
        ? {
            effective: { stage: 'legacy', share: '0%', why: 'rollback' },
            verdict: { result: 'pass', reasons: [], control: 'oldSide' },
            overrides: { rollback },
          }
        : undefined,
    )
    expect(await operators.standing('search')).toEqual({
      ...{ stage: 'legacy', why: 'rollback', verdict: { result: 'pass', reasons: [], control: 'oldSide' } },
      rollback: { by: 'guard', at: Date.parse(at), reason: 'too many failed' },
    })
    await expect(operators.standing('summary')).rejects.toThrow('cannot read the rollout of summary: status 404')
  })

  it('has its rollbacks in the history', async () => {
    const records = [
      { kind: 'stage', by: 'file', at },
      { kind: 'rollback', ...rollback },
    ]
    const operators = await admin((target) => (target === '/history?rollout=search' ? { records } : undefined))
    expect(await operators.rollbacks('search')).toEqual([
      { by: 'guard', at: Date.parse(at), reason: 'too many failed' },
    ])
  })
})

describe('a ledger', () => {
  it('is read page by page to its end, and on from a mark', async () => {
    const lines = Array.from({ length: 12_000 }, (_, i) => line(i + 1))
    const operators = await admin((target) => {
      const url = new URL(target, 'http://admin')
      const after = Number(url.searchParams.get('after'))
      const entries = lines.slice(after, after + Number(url.searchParams.get('limit')))
      return { service: 'freight', entries, next: after + entries.length, dropped: 0 }
    })
    const all = await operators.readLedger('monolith', 0)
    expect({ ...all, entries: all.entries.length }).toEqual({
      service: 'freight',
      entries: 12_000,
      last: 12_000,
      forgotten: 0,
    })
    const rest = await operators.readLedger('monolith', 11_998)
    expect(rest.entries.map(({ id }) => id)).toEqual(['id-11999', 'id-12000'])
  })

  it('that has forgotten lines says how many', async () => {
    const operators = await admin(() => ({ service: 'freight', entries: [line(5), line(6), line(9)] }))
    expect((await operators.readLedger('monolith', 2)).forgotten).toBe(2 + 2)
  })

  it('that cannot be read is an error that names it', async () => {
    const operators = await admin(() => undefined)
    await expect(operators.readLedger('search', 0)).rejects.toThrow('cannot read the ledger of "search": status 404')
  })
})

describe('the evidence', () => {
  it('is complete once nothing of the run is running any more', async () => {
    let reads = 0
    const operators = await admin(() => {
      reads += 1
      return { service: 'freight', entries: [line(1, reads < 3 ? 'running' : 'aborted')] }
    })
    const evidence = await gatherEvidence(operators, new Map([['monolith', 0]]), 'id-', hastyTicker())
    expect({ reads, running: evidence.running, state: evidence.entries[0]?.state }).toEqual({
      reads: 3,
      running: 0,
      state: 'aborted',
    })
  })

  it('does not wait for what others run, and not for ever for its own', async () => {
    const operators = await admin(() => ({ service: 'freight', entries: [line(1, 'running')] }))
    const marks = new Map([['monolith', 0]])
    expect(await gatherEvidence(operators, marks, 'ours-', hastyTicker())).toMatchObject({ running: 0 })
    expect(await gatherEvidence(operators, marks, 'id-', hastyTicker())).toMatchObject({ running: 1 })
  })
})

describe('a flip', () => {
  const text = 'unmatched: monolith\nroutes:\n  - name: search\n    move: { to: search, stage: legacy }\n'
  const live = text.replace('legacy', 'live')

  async function routesFile(): Promise<string> {
    const folder = await mkdtemp(join(tmpdir(), 'flip-'))
    closers.push(() => rm(folder, { recursive: true }))
    const file = join(folder, 'routes.yaml')
    await writeFile(file, text)
    return file
  }

  const status = (revision: number, hash: string, stage: string) => ({
    ...{ version: '0.1.0', revision, hash },
    routes: [{ name: 'search', stage }, { name: 'unmatched' }],
  })

  it('is done when the gateway shows that very file and the stage', async () => {
    const answers = [status(1, hashOf(text), 'legacy'), status(2, 'another', 'live'), status(3, hashOf(live), 'live')]
    const operators = await admin(() => answers.shift())
    const configFile = await routesFile()
    const shown = await flip({ configFile, route: 'search', stage: 'live', operators, ticker: hastyTicker() })
    expect(shown).toMatchObject({ stage: 'live', revision: 3, hash: hashOf(live) })
    expect(shown.shownAt).toBeGreaterThan(shown.editedAt)
    expect(await readFile(configFile, 'utf8')).toBe(live)
  })

  it('that the gateway refuses fails with the reason it gives', async () => {
    const refused = '1 problem; still serving revision 1'
    const operators = await admin(() => ({ ...status(1, hashOf(text), 'legacy'), refused }))
    const configFile = await routesFile()
    const moving = flip({ configFile, route: 'search', stage: 'live', operators, ticker: hastyTicker() })
    await expect(moving).rejects.toThrow(`did not show search at live within 15000 ms: ${refused}`)
  })
})
