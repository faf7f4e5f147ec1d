// The pages: login, session, redirects, gzip, escaping.
import { gunzipSync } from 'node:zlib'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { html } from '../../legacy-mock/html.ts'
import { startMonolith } from '../../legacy-mock/monolith.ts'
import type { Running } from '../../services/kit/server.ts'
import { askBytes } from '../services/ask.ts'

let monolith: Running
beforeAll(async () => {
  monolith = await startMonolith({ port: 0 })
})
afterAll(() => monolith.stop())

const ask = (path: string, init: RequestInit = {}) => fetch(`${monolith.url}${path}`, { redirect: 'manual', ...init })
const logIn = (password: string, fields: Record<string, string> = {}) =>
  ask('/login', { method: 'POST', headers: fields, body: new URLSearchParams({ login: 'dispatch', password }) })
const sessionOf = (answer: Response) => (answer.headers.getSetCookie()[0] ?? '').split(';')[0] ?? ''
const open = async () => ({ headers: { Cookie: `theme=dark; ${sessionOf(await logIn('freight'))}` } })

describe('a session', () => {
  test('begins with the right password: HttpOnly cookie and an absolute redirect', async () => {
    const answer = await logIn('freight')
    expect([answer.status, answer.headers.get('location')]).toEqual([302, `${monolith.url}/shipments`])
    expect(answer.headers.getSetCookie()).toEqual([
      expect.stringMatching(/^SESSION=[0-9a-f]{32}; Path=\/; HttpOnly; SameSite=Lax$/),
    ])
  })

  test('has a Secure cookie where the client came by TLS', async () => {
    const answer = await logIn('freight', { 'X-Forwarded-Proto': 'https' })
    expect(answer.headers.getSetCookie()[0]).toMatch(/; Secure$/)
  })

  test('does not begin with a wrong password', async () => {
    const answer = await logIn('fright')
    expect([answer.status, answer.headers.getSetCookie()]).toEqual([401, []])
    expect(await answer.text()).toContain('Wrong login or password.')
  })

  test('ends at logout', async () => {
    const session = await open()
    expect((await ask('/shipments', session)).status).toBe(200)
    const out = await ask('/logout', session)
    expect(out.headers.getSetCookie()[0]).toMatch(/^SESSION=; Max-Age=0;/)
    expect((await ask('/shipments', session)).status).toBe(302)
  })
})

describe('a page for staff', () => {
  test.each(['/shipments', '/shipments/1', '/customers', '/manifests/1'])(
    '%s sends a stranger to an absolute login URL under the name he used',
    async (path) => {
      const answer = await askBytes(monolith.url, path, ['X-Forwarded-Proto: https', 'Cookie: SESSION=made-up'])
      expect(answer).toMatch(/^HTTP\/1.1 302 /)
      expect(answer).toContain('\r\nLocation: https://freight.example/login\r\n')
    },
  )

  test.each([
    ['/shipments?size=5', '/shipments/5">BF-100005<'],
    ['/shipments/7', '<dd>BF-100007</dd>'],
    ['/customers', '<table>'],
    ['/manifests/7', '<h1>Manifest 7</h1>'],
  ])('%s is shown to who is logged in', async (path, part) => {
    const answer = await ask(path, await open())
    expect([answer.status, answer.headers.get('content-type')]).toEqual([200, 'text/html; charset=utf-8'])
    expect(await answer.text()).toContain(part)
  })

  test('is a page too where there is nothing, for a browser, and JSON for everybody else', async () => {
    const { headers } = await open()
    const page = await ask('/shipments/999999', { headers: { ...headers, Accept: 'text/html,*/*;q=0.8' } })
    expect([page.status, await page.text()]).toEqual([404, expect.stringContaining('There is no such shipment.')])
    const json = await ask('/manifests/x', { headers })
    expect([json.status, await json.json()]).toEqual([404, { error: 'There is no such manifest.' }])
  })
})

describe('gzip', () => {
  const headOf = async (path: string, accepted: string) => {
    const { headers } = await open()
    const fields = [`Cookie: ${headers.Cookie}`, `Accept-Encoding: ${accepted}`]
    return askBytes(monolith.url, path, fields)
  }

  test('packs a big page for who accepts it, and the page is the same', async () => {
    const answer = await headOf('/shipments?size=50', 'br, gzip;q=0.5')
    const [head = ''] = answer.split('\r\n\r\n')
    expect(head).toMatch(/^Content-Encoding: gzip\r?$/m)
    const unpacked = gunzipSync(Buffer.from(answer.slice(head.length + 4), 'latin1')).toString()
    const [, plain = ''] = (await headOf('/shipments?size=50', 'identity')).split('\r\n\r\n')
    expect(unpacked).toBe(Buffer.from(plain, 'latin1').toString())
  })

  test.each(['gzip;q=0', 'br', 'x-gzipped'])('leaves it plain for "%s"', async (accepted) => {
    expect(await headOf('/shipments', accepted)).not.toMatch(/Content-Encoding/)
  })

  test('leaves a small page plain', async () => {
    expect(await headOf('/', 'gzip')).not.toMatch(/Content-Encoding/)
  })
})

test('a value in a template is escaped, a template in a template is not', () => {
  const name = `<b>"O'Brien" & Sons</b>`
  expect(html`<p>${name}${html`<br>`}</p>`.text).toBe(
    '<p>&#60;b&#62;&#34;O&#39;Brien&#34; &#38; Sons&#60;/b&#62;<br></p>',
  )
})
