// A move with a rewrite, over the wire: the new side sees its own paths, clients and the old side see nothing of it.
import { expect, test } from 'vitest'
import { startTestGateway } from '../harness/gateway.ts'
import { startScriptedOrigin } from '../harness/origin.ts'
import { exchangeBytes } from '../harness/wire.ts'

test('paths, Host and fields are rewritten for the new side alone, and its answers lead back', async () => {
  const old = await startScriptedOrigin((socket) => {
    socket.write('HTTP/1.1 302 Found\r\nLocation: /v1/find/1\r\nX-Powered-By: old\r\nContent-Length: 0\r\n\r\n')
  })
  const moved = await startScriptedOrigin((socket, head) => {
    const host = /host: (.*)\r\n/i.exec(head)?.[1]
    const location = head.includes('/absolute') ? `http://${host}/v1/find/2` : '/v1/find/2?a=%2F'
    const fields = `Location: ${location}\r\nSet-Cookie: a=1; Path=/v1/find; HttpOnly\r\nSet-Cookie: b=2; Path=/\r\nX-Powered-By: new\r\n`
    socket.write(`HTTP/1.1 302 Found\r\n${fields}Content-Length: 0\r\n\r\n`)
  })
  const routes = (stage: string) => `
upstreams: { old: { url: "${old.url}" }, new: { url: "${moved.url}" } }
unmatched: old
routes:
  - name: search
    match: { path: /api/search/* }
    move:
      to: new
      stage: ${stage}
      rewrite:
        path: /v1/find
        host: target
        request: { set: { x-origin: banyan }, remove: [x-debug] }
        answer: { remove: [x-powered-by] }
`
  const gateway = await startTestGateway(routes('legacy'))
  const ask = async (target: string) =>
    (
      await exchangeBytes(
        gateway.port,
        `GET ${target} HTTP/1.1\r\nHost: shop.example\r\nX-Debug: 1\r\nConnection: close\r\n\r\n`,
      )
    ).received

  const before = await ask('/api/search/x%2Fy?q=%zz')
  expect(old.heads.at(-1)).toMatch(/^GET \/api\/search\/x%2Fy\?q=%zz HTTP\/1\.1\r\n/)
  expect(old.heads.at(-1)).toContain('Host: shop.example\r\n')
  expect(old.heads.at(-1)).toContain('X-Debug: 1\r\n')
  expect(old.heads.at(-1)).not.toContain('x-origin')
  expect(before).toContain('Location: /v1/find/1\r\n')
  expect(before).toContain('X-Powered-By: old\r\n')

  await gateway.rewrite(routes('live'))
  const live = await ask('/api/search/x%2Fy?q=%zz')
  expect(moved.heads.at(-1)).toMatch(/^GET \/v1\/find\/x%2Fy\?q=%zz HTTP\/1\.1\r\n/)
  expect(moved.heads.at(-1)).toContain(`Host: 127.0.0.1:${moved.port}\r\n`)
  expect(moved.heads.at(-1)).toContain('X-Forwarded-Host: shop.example\r\n')
  expect(moved.heads.at(-1)).toContain('x-origin: banyan\r\n')
  expect(moved.heads.at(-1)).not.toContain('X-Debug')
  expect(live).toContain('Location: /api/search/2?a=%2F\r\n')
  expect(live).toContain('Set-Cookie: a=1; Path=/api/search; HttpOnly\r\nSet-Cookie: b=2; Path=/\r\n')
  expect(live).not.toContain('X-Powered-By')
  expect(await ask('/api/search/absolute')).toContain('Location: http://shop.example/api/search/2\r\n')

  await ask('/elsewhere')
  expect(old.heads.at(-1)).toContain('GET /elsewhere HTTP/1.1')
  expect(old.heads.at(-1)).not.toContain('x-origin')
  await gateway.rewrite(routes('legacy'))
  expect(await ask('/api/search')).toContain('Location: /v1/find/1\r\n')
  expect(moved.heads).toHaveLength(2)
  await gateway.close()
  await old.close()
  await moved.close()
})
