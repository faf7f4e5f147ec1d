// Nodes of a monolith that keep sessions to themselves, and clients that keep cookies.
import { request as httpRequest, type IncomingMessage, type RequestListener } from 'node:http'
import { text } from 'node:stream/consumers'
import { onTestFinished } from 'vitest'
import { WebSocketServer } from 'ws'
import { startOrigin } from '../harness/origin.ts'

export interface Node {
  readonly name: string
  readonly url: string
  /** Method, path, and the value of the Cookie field, of each request so far. */
  readonly seen: string[]
  close(): Promise<void>
}

/** `/login` begins a session; `/me` says the node's name to whoever has one there, and 401 to others; else it says its name. */
async function startNode(name: string, listener?: RequestListener): Promise<Node> {
  const sessions = new Set<string>()
  const seen: string[] = []
  const origin = await startOrigin((request, response) => {
    const { method, url = '', headers } = request
    seen.push(`${method} ${url} ${headers.cookie ?? '-'}`)
    if (listener) return listener(request, response)
    if (url === '/login') {
      const session = `${name}${sessions.size}`
      sessions.add(session)
      response.setHeader('Set-Cookie', `SESSION=${session}; Path=/`)
    }
    const session = /\bSESSION=(\w+)/.exec(headers.cookie ?? '')?.[1] ?? ''
    response.writeHead(url === '/me' && !sessions.has(session) ? 401 : 200).end(name)
  })
  new WebSocketServer({ server: origin.server }).on('connection', (socket) => socket.send(name))
  let isOpen = true
  const close = async () => {
    if (isOpen) await origin.close()
    isOpen = false
  }
  onTestFinished(close)
  return { name, url: origin.url, seen, close }
}

/** Nodes `a`, `b`, `c` … @param listener answers in place of what they do by themselves */
export function startNodes(count: number, listener?: (name: string) => RequestListener): Promise<Node[]> {
  const names = Array.from({ length: count }, (_, i) => 'abcdefgh'.charAt(i))
  return Promise.all(names.map((name) => startNode(name, listener?.(name))))
}

export interface Told {
  readonly status: number
  readonly said: string
  /** The Set-Cookie fields. */
  readonly given: readonly string[]
}

export interface Asking {
  readonly method?: string
  readonly fields?: Readonly<Record<string, string>>
  readonly body?: string
}

/** A user agent of its own, which keeps the cookies that it is given. */
export function newClient(gateway: { readonly url: string }) {
  const cookies = new Map<string, string>()
  return {
    cookies,
    async ask(path: string, { method = 'GET', fields = {}, body }: Asking = {}): Promise<Told> {
      const line = [...cookies].map(([name, value]) => `${name}=${value}`).join('; ')
      const headers = { ...(line && { Cookie: line }), ...fields }
      const response = await new Promise<IncomingMessage>((resolve, reject) => {
        httpRequest(gateway.url + path, { method, headers, agent: false }, resolve)
          .on('error', reject)
          .end(body)
      })
      const given = response.headers['set-cookie'] ?? []
      for (const cookie of given) {
        const [, name = '', value = ''] = /^([^=]+)=([^;]*)/.exec(cookie) ?? []
        cookies.set(name, value)
      }
      return { status: response.statusCode ?? 0, said: await text(response), given }
    },
  }
}
