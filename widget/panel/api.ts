/** Requests to the server: one token, one kind of failure. */

import { locked } from './locks'
import type { Storage } from './storage'
import type { Session } from './types'

const PATIENCE_MS = 20_000
const UPLOAD_PATIENCE_MS = 300_000

/** An answer that is not success. Status 0 means that no answer came. */
export class Problem extends Error {
  constructor(
    readonly status: number,
    readonly detail: string,
    readonly retryAfterMs: number | null = null,
  ) {
    super(detail)
  }

  /** Whether the same request may succeed later. */
  get passing(): boolean {
    return this.status === 0 || this.status === 408 || this.status === 429 || this.status >= 500
  }
}

async function problemOf(response: Response): Promise<Problem> {
  const seconds = Number(response.headers.get('retry-after') ?? Number.NaN)
  const body = (await response.json().catch(() => null)) as { detail?: unknown } | null
  const detail = typeof body?.detail === 'string' ? body.detail : response.statusText
  return new Problem(response.status, detail, Number.isFinite(seconds) ? seconds * 1000 : null)
}

export interface Request {
  method?: 'GET' | 'POST'
  body?: unknown
  signal?: AbortSignal
  patience?: number
}

export class Api {
  session: Session | null

  constructor(
    private readonly base: string,
    private readonly key: string,
    private readonly storage: Storage,
    private readonly locale: () => string,
    private readonly began: (session: Session, previous: Session | null) => void,
  ) {
    this.session = storage.get<Session>('session')
  }

  /** The session in use, or a new one. `refused` is the token the server has just turned down. */
  async sign(refused?: string): Promise<Session> {
    const usable = (session: Session | null) => (session && session.token !== refused ? session : null)
    const current = usable(this.session)
    if (current) return current
    return locked(`session:${this.key}`, async () => {
      const previous = this.session
      // Another tab may have signed in while we waited.
      const kept = usable(this.session) ?? usable(this.storage.get<Session>('session'))
      const session = kept ?? (await this.begin())
      if (!kept) this.storage.set('session', session)
      this.session = session
      this.began(session, previous)
      return session
    })
  }

  private async begin(): Promise<Session> {
    const response = await this.fetch('/sessions', { method: 'POST', body: { key: this.key, locale: this.locale() } }, null)
    if (!response.ok) throw await problemOf(response)
    return (await response.json()) as Session
  }

  /** Ask, and read the answer as JSON. */
  async ask<Answer>(path: string, request: Request = {}): Promise<Answer> {
    const response = await this.open(path, request)
    const text = await response.text().catch(() => {
      throw new Problem(0, 'The answer was cut off.')
    })
    return (text ? JSON.parse(text) : null) as Answer
  }

  /** Ask, and return the successful response, unread. */
  async open(path: string, request: Request = {}): Promise<Response> {
    const session = await this.sign()
    let response = await this.fetch(path, request, session.token)
    if (response.status === 401) {
      const renewed = await this.sign(session.token)
      response = await this.fetch(path, request, renewed.token)
    }
    if (!response.ok) throw await problemOf(response)
    return response
  }

  /** Send a file as it is, and say how much of it has gone. `put` gives the way to stop. */
  async upload<Answer>(path: string, file: Blob, moved: (share: number) => void, put: (stop: () => void) => void): Promise<Answer> {
    const session = await this.sign()
    let response = await this.carry(path, file, session.token, moved, put)
    if (response.status === 401) response = await this.carry(path, file, (await this.sign(session.token)).token, moved, put)
    if (!response.ok) throw await problemOf(response)
    return (await response.json()) as Answer
  }

  /** Only this old way of asking tells how much of a body has gone. */
  private carry(path: string, file: Blob, token: string, moved: (share: number) => void, put: (stop: () => void) => void): Promise<Response> {
    return new Promise((done, failed) => {
      const request = new XMLHttpRequest()
      const lost = () => failed(new Problem(0, 'No answer from the server.'))
      request.open('POST', this.base + path)
      request.setRequestHeader('authorization', `Bearer ${token}`)
      request.setRequestHeader('content-type', 'application/octet-stream')
      request.upload.onprogress = (event) => moved(event.total ? event.loaded / event.total : 0)
      request.onload = () => {
        const headers = new Headers()
        const wait = request.getResponseHeader('retry-after')
        if (wait) headers.set('retry-after', wait)
        done(new Response(request.responseText, { status: request.status, headers }))
      }
      request.onerror = request.ontimeout = request.onabort = lost
      request.timeout = UPLOAD_PATIENCE_MS
      put(() => request.abort())
      request.send(file)
    })
  }

  private async fetch(path: string, request: Request, token: string | null): Promise<Response> {
    const { method = 'GET', body, signal, patience = PATIENCE_MS } = request
    const headers: Record<string, string> = {}
    if (token) headers.authorization = `Bearer ${token}`
    if (body !== undefined) headers['content-type'] = 'application/json'
    const impatient = new AbortController()
    const timer = patience ? setTimeout(() => impatient.abort(), patience) : 0
    signal?.addEventListener('abort', () => impatient.abort(), { once: true })
    if (signal?.aborted) impatient.abort()
    try {
      return await fetch(this.base + path, {
        method,
        headers,
        signal: impatient.signal,
        cache: 'no-store',
        credentials: 'omit',
        ...(body === undefined ? {} : { body: JSON.stringify(body) }),
      })
    } catch {
      throw new Problem(0, 'No answer from the server.')
    } finally {
      clearTimeout(timer)
    }
  }
}
