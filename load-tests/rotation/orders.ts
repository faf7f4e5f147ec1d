// What operators order of keys, at the admin listener.
// The danger it guards against: an order that was refused and is taken for done.

export interface KeyView {
  readonly id: string
  readonly endsAt: string
  readonly underOldPepper?: true
}

export interface KeyOrders {
  issue(owner: string): Promise<KeyView & { readonly key: string }>
  rotate(id: string): Promise<KeyView & { readonly key: string; readonly replaces: KeyView }>
  /** Resolves once it is in force. */
  revoke(id: string): Promise<unknown>
  list(): Promise<readonly KeyView[]>
}

/** @param admin the admin listener */
export function keyOrdersAt(admin: string): KeyOrders {
  async function ask<T>(path: string, order?: object): Promise<T> {
    const post = {
      method: 'POST',
      headers: { 'Banyan-Admin': 'rotate-keys', 'Content-Type': 'application/json' },
      body: JSON.stringify(order),
    }
    const answer = await fetch(new URL(path, admin), order && post)
    if (!answer.ok) throw new Error(`${path} was answered ${answer.status}: ${await answer.text()}`)
    return (await answer.json()) as T
  }
  const at = (id: string, what: string) => `/keys/${encodeURIComponent(id)}/${what}`
  return {
    issue: (owner) => ask('/keys', { owner }),
    rotate: (id) => ask(at(id, 'rotate'), {}),
    revoke: (id) => ask(at(id, 'revoke'), { reason: 'the load test says so' }),
    list: async () => (await ask<{ readonly keys: readonly KeyView[] }>('/keys')).keys,
  }
}
