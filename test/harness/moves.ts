// A site that moves: its two sides, and gateways between them that end with their tests.
import { afterAll, afterEach, beforeAll } from 'vitest'
import { startTestGateway, type TestGateway } from './gateway.ts'
import { type Origin, startOrigin } from './origin.ts'

export interface MovingSite {
  /** routes.yaml but for the listeners' places. @param search keys of the move that takes GET, @param orders of the one that takes writes too */
  routes(search: string, orders?: string, more?: string): string
  start(yaml: string): Promise<TestGateway>
}

/** For the tests of one file. Each side answers by its name, `old` or `new`. */
export function movingSite(): MovingSite {
  const sides: Origin[] = []
  const open: TestGateway[] = []
  beforeAll(async () => {
    for (const name of ['old', 'new']) sides.push(await startOrigin((_request, response) => response.end(name)))
  })
  afterEach(async () => {
    for (const gateway of open.splice(0)) await gateway.close()
  })
  afterAll(async () => {
    for (const side of sides) await side.close()
  })
  return {
    routes: (search, orders = 'stage: live', more = '') => `
accessLog: off
stateDir: ./var
sessionCookie: SESSION
upstreams: { old: { url: "${sides[0]?.url}" }, new: { url: "${sides[1]?.url}" } }
unmatched: old
routes:
  - name: search # moves first
    match: { path: /search, methods: [GET] }
    move: { to: new, ${search} }
  - name: orders
    match: { path: /orders }
    move: { to: new, ${orders} }
${more}`,
    async start(yaml) {
      const gateway = await startTestGateway(yaml)
      open.push(gateway)
      return gateway
    },
  }
}

/** The name of that side. */
export async function whoAnswers({ url }: TestGateway, path: string, init?: RequestInit): Promise<string> {
  return (await fetch(url + path, init)).text()
}
