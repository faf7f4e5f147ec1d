// A gateway between two sides that say who they are, and clients who are known by what they send.
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { type Agent, request as httpRequest, type IncomingMessage } from 'node:http'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { text } from 'node:stream/consumers'
import { onTestFinished } from 'vitest'
import { bucketOf } from '../../gateway/rollout/bucket.ts'
import { startTestGateway, type TestGateway } from '../harness/gateway.ts'
import { startOrigin } from '../harness/origin.ts'
import { places } from '../harness/places.ts'

export const splitKey = 'planted-split key of these tests'

type Side = Awaited<ReturnType<typeof startOrigin>>

export interface Sides {
  readonly old: Side
  readonly new: Side
  /** The first lines of a routes.yaml. */
  readonly yaml: string
  close(): Promise<void>
}

/** Each answers its name; a path such as `/x/503` chooses the status, `/x/cut` breaks before any answer. */
export async function startSides(): Promise<Sides> {
  const side = (name: string) =>
    startOrigin((request, response) => {
      const last = request.url?.split('/').at(-1) ?? ''
      if (last === 'cut') return request.socket.destroy()
      response.writeHead(/^[1-5]\d\d$/.test(last) ? Number(last) : 200, { 'X-Cookie': request.headers.cookie ?? '' })
      response.end(name)
    })
  const [one, two] = await Promise.all([side('old'), side('new')])
  return {
    old: one,
    new: two,
    yaml: `
accessLog: off
paths: { case: exact }
upstreams: { old: { url: "${one.url}" }, new: { url: "${two.url}" } }
unmatched: old
`,
    async close() {
      await one.close()
      await two.close()
    },
  }
}

/** A folder that outlives a gateway, with a split key that the tests know. */
export async function newStateDir(): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'banyan-state-'))
  onTestFinished(() => rm(folder, { recursive: true, force: true }))
  await writeFile(join(folder, 'splitKey'), `${splitKey}\n`)
  return folder
}

export async function startBetween(yaml: string, stateDir?: string, header = places): Promise<TestGateway> {
  const env = { BANYAN_DOOR: process.env.BANYAN_DOOR, BANYAN_STATE_DIR: stateDir ?? (await newStateDir()) }
  const gateway = await startTestGateway(yaml, header, { env })
  let isOpen = true
  const close = async () => {
    if (isOpen) await gateway.close()
    isOpen = false
  }
  onTestFinished(close)
  return { ...gateway, close }
}

export interface Asking {
  readonly method?: string
  readonly fields?: Readonly<Record<string, string>>
  readonly agent?: Agent
}

export interface Told {
  readonly side: string
  readonly status: number
  readonly cookies: readonly string[]
}

export async function ask({ url }: TestGateway, path: string, how: Asking = {}): Promise<Told> {
  const { method = 'GET', fields = {}, agent = false } = how
  const response = await new Promise<IncomingMessage>((resolve, reject) => {
    httpRequest(url + path, { method, headers: { ...fields }, agent }, resolve)
      .on('error', reject)
      .end()
  })
  const { statusCode: status = 0, headers } = response
  return { side: await text(response), status, cookies: headers['set-cookie'] ?? [] }
}

/** An identity whose bucket is in that range. */
export function identityIn(key: string, [from, to]: readonly [from: number, to: number], nth = 0): string {
  for (let i = 0, left = nth; ; i++) {
    // Whoever knows how a client is told from others is taken for that client: no log may say it (harness/planted.ts).
    const identity = `planted-client${i}`
    const bucket = bucketOf(splitKey, key, identity)
    if (bucket >= from && bucket < to && left-- === 0) return identity
  }
}

export function session(identity: string): Record<string, string> {
  return { Cookie: `SESSION=${identity}` }
}
