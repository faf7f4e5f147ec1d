import { beforeAll, expect, test } from 'vitest'
import { newFolder, routesYaml } from './banyan.ts'

const folder = await newFolder()
beforeAll(() => folder.write('routes.yaml', routesYaml))

async function explained(...args: string[]) {
  const { code, out } = await folder.banyan(['explain', ...args, '--json'])
  expect(code).toBe(0)
  return JSON.parse(out)
}

test('explain says which route takes a request, why, what is done with it and who answers', async () => {
  const { code, out } = await folder.banyan(['explain', 'GET', '/api/search?q=x'])
  expect(code).toBe(0)
  expect(out).toContain('route    search (live), routes.yaml:7:')
  expect(out).toContain('because  the path "/api/search" is exact, that of route "api" is a prefix')
  expect(out).toContain('then     observe: ')
  expect(out).toContain('attempt: asks search at http://127.0.0.1:4100')
  expect(out).toContain('answers  search at http://127.0.0.1:4100, the new side of the move')
  expect(out).toContain('second   api would take it without this route')
  expect(out).toContain('not      tenant: it asks for the field "x-tenant" to be "acme"')
})

test('the fields of the request decide as they would in the gateway', async () => {
  const plain = await explained('POST', '/api/search')
  expect(plain).toMatchObject({ route: 'api', second: 'unmatched', upstream: 'monolith' })
  const tenant = await explained('POST', '/api/search', '-H', 'X-Tenant: acme')
  expect(tenant).toMatchObject({ route: 'tenant', second: 'api' })
})

test('an absolute URL gives the Host, unless a field does', async () => {
  await folder.write('hosts.yaml', routesYaml.replace('path: /api/*', 'path: /api/*, host: api.example'))
  const hosts = ['--config', 'hosts.yaml']
  expect(await explained('GET', 'http://api.example:8080/api/x', ...hosts)).toMatchObject({ route: 'api' })
  expect(await explained('GET', 'http://u:p@api.example/api/x', ...hosts)).toMatchObject({ route: 'api' })
  expect(await explained('GET', '/api/x', ...hosts)).toMatchObject({ route: 'unmatched' })
  expect(await explained('GET', 'http://x.example/api/x', '-H', 'Host: api.example', ...hosts)).toMatchObject({
    route: 'api',
  })
})

test('a request that no route names goes to unmatched, with the near miss told', async () => {
  expect(await explained('GET', '/API/Search')).toMatchObject({
    route: 'unmatched',
    upstream: 'monolith',
    because: 'no route takes it',
    nearMiss: 'search',
  })
})

test('no value of a field or of the query is shown', async () => {
  const fields = ['-H', 'Authorization: Bearer sekret', '-H', 'Cookie: SESSION=sekret', '-H', 'X-Key: sekret']
  const asked = ['explain', 'GET', 'http://u:sekret@example/api/search?token=sekret', ...fields]
  const text = await folder.banyan(asked)
  const json = await folder.banyan([...asked, '--json'])
  expect([text.code, json.code]).toEqual([0, 0])
  expect(text.out + text.err + json.out + json.err).not.toContain('sekret')
})

test('a broken file is explained by its problems', async () => {
  await folder.write('broken.yaml', routesYaml.replace('upstream: monolith', 'upstraem: monolith'))
  const { code, out } = await folder.banyan(['explain', 'GET', '/', '--config', 'broken.yaml'])
  expect(code).toBe(1)
  expect(out).toContain('unknown key "upstraem"')
  expect(out).toContain('1 problem')
})

test('what is no request is a mistake of the command line', async () => {
  const wrong = [
    ['explain', 'GET', 'api/search'],
    ['explain', 'G T', '/'],
    ['explain', 'GET', '/', '-H', 'no colon'],
  ]
  for (const args of wrong) expect(await folder.banyan(args)).toMatchObject({ code: 2, out: '' })
})

test('of an upstream of several targets it says which there are, and what chooses among them', async () => {
  const several = 'targets: [http://10.0.0.1, http://10.0.0.2], affinity: { cookie: NODE }'
  await folder.write('several.yaml', routesYaml.replace(/url: "?http:\/\/127\.0\.0\.1:4100"?/, several))
  const { out } = await folder.banyan(['explain', 'GET', '/api/search', '--config', 'several.yaml'])
  const targets = 'http://10.0.0.1:80, http://10.0.0.2:80'
  expect(out).toContain(`attempt: asks search at one of ${targets}: by the cookie NODE, else where less is under way`)
  expect(out).toContain('affinity: keeps a client with its target of search by the cookie NODE')
  expect(out).toContain(`answers  search at one of ${targets}, the new side of the move`)
})
