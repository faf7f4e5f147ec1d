// The pages of the dispatchers, rendered on the server; most need a login.
// The danger it guards against: a page that shows the books to somebody who is not logged in.
import type { DatabaseSync } from 'node:sqlite'
import { type Endpoint, endpoint } from '../services/kit/router.ts'
import { Refusal, readBody, type Visit } from '../services/kit/visit.ts'
import { type Html, html, sendPage } from './html.ts'
import { redirect } from './origin.ts'
import { readPage } from './paging.ts'
import type { Sessions } from './sessions.ts'
import { readFilter } from './shipmentApi.ts'
import type { ShipmentRow, Shipments } from './shipments.ts'

interface Office {
  readonly books: DatabaseSync
  readonly shipments: Shipments
  readonly sessions: Sessions
}

export function pageEndpoints(office: Office): readonly Endpoint[] {
  const { sessions } = office
  const forStaff = (pattern: string, show: (visit: Visit) => void | Promise<void>) =>
    endpoint('GET', pattern, (visit) =>
      sessions.loginOf(visit.request) === undefined ? redirect(visit, '/login') : show(visit),
    )
  return [
    endpoint('GET', '/', (visit) => sendPage(visit, 200, { title: 'Freight desk', body: html`<p>Welcome.</p>` })),
    endpoint('GET', '/login', (visit) => sendPage(visit, 200, { title: 'Log in', body: loginForm })),
    endpoint('POST', '/login', (visit) => logIn(visit, sessions)),
    endpoint('GET', '/logout', (visit) => redirect(visit, '/', sessions.end(visit.request))),
    forStaff('/shipments', (visit) => showShipments(visit, office)),
    forStaff('/shipments/:id', (visit) => showShipment(visit, office)),
    forStaff('/customers', (visit) => showCustomers(visit, office)),
    forStaff('/manifests/:id', (visit) => showManifest(visit, office)),
  ]
}

/** What a browser sees of a Refusal. */
export function sendRefusalPage(visit: Visit, refusal: Refusal): Promise<void> {
  const { message, fields } = refusal
  return sendPage(visit, refusal.status, { title: 'This did not work', body: html`<p>${message}</p>`, fields })
}

const loginForm = html`<form method="post" action="/login">
<label>Login <input name="login" autocomplete="username"></label>
<label>Password <input name="password" type="password" autocomplete="current-password"></label>
<button>Log in</button></form>`

async function logIn(visit: Visit, sessions: Sessions): Promise<void> {
  const form = new URLSearchParams((await readBody(visit, 4096)).toString('utf8'))
  const cookie = sessions.start(visit.request, form.get('login') ?? '', form.get('password') ?? '')
  if (cookie !== undefined) return redirect(visit, '/shipments', cookie)
  await sendPage(visit, 401, { title: 'Log in', body: html`<p>Wrong login or password.</p>${loginForm}` })
}

function showShipments(visit: Visit, { shipments }: Office): Promise<void> {
  const { page, size } = readPage(visit.query, 100)
  const { total, rows } = shipments.list(readFilter(visit.query), page, size)
  const pages = Math.max(1, Math.ceil(total / size))
  const body = html`${tableOf(rows)}<p>${total} shipments, page ${page} of ${pages}</p>`
  return sendPage(visit, 200, { title: 'Shipments', body })
}

function showShipment(visit: Visit, { shipments }: Office): Promise<void> {
  const row = shipments.find(numberIn(visit))
  if (!row) throw new Refusal(404, 'There is no such shipment.')
  const lines = Object.entries(row).map(([name, value]) => html`<dt>${name}</dt><dd>${value ?? '–'}</dd>`)
  return sendPage(visit, 200, { title: `Shipment ${row.reference}`, body: html`<dl>${lines}</dl>` })
}

function showCustomers(visit: Visit, { books }: Office): Promise<void> {
  const rows = books.prepare('SELECT id, name, city, country FROM customer ORDER BY name, id').all()
  const lines = rows.map(
    ({ id, name, city, country }) =>
      html`<tr><td>${Number(id)}</td><td>${String(name)}</td><td>${String(city)}</td><td>${String(country)}</td></tr>`,
  )
  return sendPage(visit, 200, { title: 'Customers', body: html`<table>${lines}</table>` })
}

function showManifest(visit: Visit, { books, shipments }: Office): Promise<void> {
  const id = numberIn(visit)
  const manifest = books.prepare('SELECT vessel, sails_on FROM manifest WHERE id = ?').get(id)
  if (!manifest) throw new Refusal(404, 'There is no such manifest.')
  const body = html`<p>${String(manifest.vessel)}, ${String(manifest.sails_on)}</p>${tableOf(shipments.ofManifest(id))}`
  return sendPage(visit, 200, { title: `Manifest ${id}`, body })
}

function tableOf(rows: readonly ShipmentRow[]): Html {
  const lines = rows.map(
    ({ id, reference, customer, origin, destination, status, departsOn }) => html`<tr>
<td><a href="/shipments/${id}">${reference}</a></td><td>${customer}</td><td>${origin}</td><td>${destination}</td>
<td>${status}</td><td>${departsOn}</td></tr>`,
  )
  return html`<table>${lines}</table>`
}

function numberIn({ params }: Visit): number {
  return /^\d{1,15}$/.test(params.id ?? '') ? Number(params.id) : 0
}
