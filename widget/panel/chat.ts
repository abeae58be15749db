/**
 * The one model behind the screen: signals to read, actions to call.
 *
 * The server decides what state a conversation is in; this only asks, remembers what has not
 * arrived there yet, and keeps the tabs together.
 */

import { batch, computed, signal } from '@preact/signals'
import type { EventName } from '../shared/protocol'
import { Api, Problem } from './api'
import { Outbox } from './outbox'
import { createRatings } from './ratings'
import { newId, openStorage } from './storage'
import { follow, readOn, type Change, type Follower } from './stream'
import { createUploads, LIMITS } from './uploads'
import { joinTabs, type Word } from './tabs'
import { endingOf, fromUs, lastSeq, merge, rateable, stageOf, standing, unreadIn, withDeliveries, withFeedback, withFiles } from './thread'
import type { Attachment, Conversation, Draft, Feedback, ListedConversation, Message, Session, Unsent } from './types'

const TYPING_MS = 30_000

export interface Surroundings {
  base: string
  key: string
  organisation: string
  locale(): string
  /** Tell the host page. */
  event(name: EventName, detail?: unknown): void
}

export type Chat = ReturnType<typeof createChat>

export function createChat({ base, key, organisation, locale, event }: Surroundings) {
  const storage = openStorage(key)

  const session = signal<Session | null>(null)
  const current = signal<string | null>(storage.get<string>('conversation'))
  const conversation = signal<Conversation | null>(null)
  const thread = signal<Message[]>([])
  const unsent = signal<Unsent[]>([])
  const draft = signal<Draft | null>(null)
  const typing = signal<'assistant' | 'agent' | null>(null)
  const connected = signal(true)
  const online = signal(navigator.onLine)
  const loading = signal(current.value !== null)
  const unavailable = signal(false)
  const open = signal(false)
  const asking = signal(false)
  const escalationFailed = signal(false)
  const seen = signal(0)
  const dismissed = signal(storage.get<string>('dismissed'))
  /** The last whole message or notice, for people who listen instead of look. */
  const announcement = signal<Message | null>(null)
  /** A sentence about something else, for the same people. */
  const report = signal('')

  const stage = computed(() => stageOf(conversation.value))
  const growing = computed(() => standing(draft.value, thread.value, conversation.value))
  const ending = computed(() => endingOf(conversation.value, thread.value, dismissed.value))
  const asked = computed(() => rateable(thread.value, conversation.value))
  const unread = computed(() => unreadIn(thread.value, seen.value))
  /** Written here and not yet on the server, as far as anybody has told us: the stream may know before the answer does. */
  const mine = computed(() => {
    const there = new Set(thread.value.map((message) => message.id))
    return unsent.value.filter((item) => item.conversation === current.value && !there.has(item.id))
  })
  const email = computed(() => session.value?.customer.email ?? null)
  const assistantOn = computed(() => session.value?.assistant.enabled ?? true)
  const organisationName = computed(() => session.value?.organisation.name || organisation)

  let page: Record<string, string | number | boolean> = {}
  let introduction: { name?: string; email?: string } | null = null
  let stop: AbortController | null = null
  /**
   * Up to here we have read without a gap; nothing yet if null. The answer to a message of ours does not
   * move it: others may have written in between.
   */
  let cursor: number | null = null
  let typingTimer: ReturnType<typeof setTimeout> | undefined

  const api = new Api(base, key, storage, locale, (begun, previous) => {
    session.value = begun
    tabs.say({ kind: 'signed' })
    // Somebody new: what the former session wrote belongs to a conversation this one may not see.
    if (previous && previous.customer.id !== begun.customer.id) startOver()
  })
  session.value = api.session

  const tabs = joinTabs(key, hear)

  const outbox = new Outbox(key, storage, {
    online: () => online.value,
    changed: (items) => (unsent.value = items),
    send: async (item) => {
      await found(item.conversation)
      listen()
      return api.ask<Message>(`/conversations/${item.conversation}/messages`, {
        method: 'POST',
        body: { id: item.id, text: item.text, ...(item.files ? { attachments: item.files.map(({ id }) => ({ id })) } : {}) },
      })
    },
    sent: (message, item) => {
      const whole = { citations: [], attachments: [], ...message, author: { ...message.author, role: 'customer' as const } }
      if (item.conversation === current.value) apply({ kind: 'message', message: whole }, false)
      tabs.say({ kind: 'change', conversation: item.conversation, change: { kind: 'message', message: whole } })
      tabs.say({ kind: 'outbox' })
      event('message', { role: 'customer', text: item.text })
      // An answer is being looked for, whether or not the stream was there in time to say so.
      const answered = thread.value.some((other) => other.seq > message.seq && other.author.role !== 'customer')
      const withAssistant = (conversation.value?.control ?? 'assistant') === 'assistant' && assistantOn.value
      if (item.conversation === current.value && withAssistant && !answered) setTyping('assistant')
    },
  })

  // --- Following -----------------------------------------------------------------------------

  function hear(word: Word) {
    switch (word.kind) {
      case 'change':
        return word.conversation === current.value ? apply(word.change, false) : undefined
      case 'connected':
        return void (connected.value = word.on)
      case 'switched':
        return word.conversation === current.value ? undefined : show(word.conversation)
      case 'outbox':
        return outbox.reload()
      case 'signed':
        return void (api.session = session.value = storage.get<Session>('session'))
      case 'seen':
        return word.conversation === current.value ? void (seen.value = Math.max(seen.value, word.seq)) : undefined
      case 'dismissed':
        return void (dismissed.value = word.handoff)
      case 'left':
        api.session = session.value = null
        return show(null)
    }
  }

  /** Take in what the server said: in the order it keeps (`ordered`), or by another way. */
  function apply(change: Change, ordered: boolean) {
    batch(() => {
      const known = new Set(thread.value.map((message) => message.id))
      const history = cursor === null && change.kind === 'read'
      switch (change.kind) {
        case 'read':
          thread.value = withDeliveries(merge(thread.value, change.messages), change.deliveries ?? [])
          thread.value = withFeedback(withFiles(thread.value, change.files ?? []), ratings.settled(change.feedback ?? []))
          become(change.conversation)
          loading.value = false
          if (ordered) cursor = Math.max(cursor ?? 0, lastSeq(change.messages))
          break
        case 'message':
          thread.value = merge(thread.value, [change.message])
          if (ordered) cursor = Math.max(cursor ?? 0, change.message.seq)
          break
        case 'conversation':
          become(change.conversation)
          break
        case 'delivery':
          thread.value = thread.value.map((message) => (message.id === change.id ? { ...message, delivery: change.delivery } : message))
          break
        case 'file':
          thread.value = withFiles(thread.value, [change.file])
          break
        case 'feedback':
          thread.value = withFeedback(thread.value, ratings.settled([change.rating]))
          break
        case 'draft':
          draft.value = change.draft
          break
        case 'typing':
          setTyping(change.on ? change.role : null)
      }
      // What was there when the page opened is history; only what comes later is news.
      if (!history) for (const message of thread.value) if (!known.has(message.id)) arrived(message)
    })
  }

  function arrived(message: Message) {
    if (message.author.role === 'customer') return
    announcement.value = message
    draft.value = null
    if (message.author.role === typing.value || message.author.role === 'system') setTyping(null)
    if (fromUs(message.author.role)) event('message', { role: message.author.role, text: message.text })
    if (message.notice === 'agent_joined') event('agent-joined', { name: message.author.name })
  }

  function become(next: Conversation) {
    const before = conversation.value
    conversation.value = next
    const state = next.handoff?.state
    if (before?.handoff?.id !== next.handoff?.id && next.handoff && before) event('escalated', { mode: next.handoff.mode })
    if (before && stageOf(before) !== 'ended' && stageOf(next) === 'ended') event('ended', { how: next.handoff?.ended ?? 'unknown' })
    if (state && state !== 'failed') escalationFailed.value = false
    if (next.control !== 'assistant' && typing.value === 'assistant') setTyping(null)
  }

  function setTyping(role: 'assistant' | 'agent' | null) {
    clearTimeout(typingTimer)
    typing.value = role
    if (role) typingTimer = setTimeout(() => (typing.value = null), TYPING_MS)
  }

  function follower(id: string): Follower {
    const share = (change: Change) => {
      if (id === current.value) apply(change, true)
      tabs.say({ kind: 'change', conversation: id, change })
    }
    return {
      after: () => cursor ?? 0,
      changed: share,
      connected: (on) => {
        if (connected.value !== on) tabs.say({ kind: 'connected', on })
        connected.value = on
        if (on && unsent.value.length) void outbox.flush()
      },
      gone: () => {
        if (id === current.value) startOver()
      },
    }
  }

  /** Follow the current conversation, once it exists on the server. */
  function listen() {
    const id = current.value
    if (!id || stop || !storage.get(`found:${id}`)) return
    const ends = (stop = new AbortController())
    // Read first: another tab may be the one that listens.
    void readOn(api, id, follower(id), ends.signal)
      .catch((problem: unknown) => {
        if (problem instanceof Problem && (problem.status === 404 || problem.status === 403)) follower(id).gone()
      })
      .then(() => tabs.lead(`stream:${id}`, (until) => follow(api, id, follower(id), until), ends.signal))
  }

  /** Put another conversation on the screen, or an empty one. */
  function show(id: string | null) {
    if (current.value && id !== current.value) uploads.take()
    stop?.abort()
    stop = null
    batch(() => {
      current.value = id
      thread.value = []
      cursor = null
      conversation.value = null
      escalationFailed.value = false
      connected.value = true
      announcement.value = null
      draft.value = null
      setTyping(null)
      loading.value = id !== null && storage.get(`found:${id}`) !== null
      seen.value = (id && storage.get<number>(`seen:${id}`)) || 0
    })
    listen()
  }

  /** The former conversation is out of reach; what was not sent goes into a new one. */
  function startOver() {
    const former = current.value
    const id = newId()
    remember(id)
    if (former) outbox.move(former, id)
    void outbox.flush()
  }

  function remember(id: string) {
    storage.set('conversation', id)
    show(id)
    tabs.say({ kind: 'switched', conversation: id })
  }

  /** Make sure that the server has the conversation. Its id is ours, so asking twice makes one. */
  async function found(id: string): Promise<void> {
    if (storage.get(`found:${id}`)) return
    const made = await api.ask<Partial<Conversation>>('/conversations', { method: 'POST', body: { id, context: page } })
    storage.set(`found:${id}`, true)
    if (id === current.value) cursor ??= 0
    if (introduction) void setCustomer(introduction).catch(() => undefined)
    if (id === current.value && made.status && made.control) {
      conversation.value ??= { status: made.status, control: made.control, handoff: made.handoff ?? null }
    }
  }

  const limits = computed(() => session.value?.files ?? LIMITS)
  const uploads = createUploads(api, () => limits.value, async () => {
    const id = currentId()
    await found(id)
    return id
  }, (sentence) => (report.value = sentence))

  const ratings = createRatings(
    (id, message, feedback) => api.ask(`/conversations/${id}/messages/${message}/feedback`, { method: 'POST', body: { feedback } }),
    (id, rating) => {
      if (id === current.value) thread.value = withFeedback(thread.value, [rating])
      tabs.say({ kind: 'change', conversation: id, change: { kind: 'feedback', rating } })
    },
    (id) => void look(id),
  )

  function currentId(): string {
    if (!current.value || conversation.value?.status === 'closed') remember(newId())
    return current.value!
  }

  // --- Actions -------------------------------------------------------------------------------

  /** Ask the server to change the conversation, then read what it has become. */
  async function act(verb: 'escalate' | 'release' | 'close' | 'customer', body: unknown): Promise<unknown> {
    const id = currentId()
    await found(id)
    if (verb !== 'customer' && mine.value.length) await outbox.flush()
    const answer = await api.ask<unknown>(`/conversations/${id}/${verb}`, { method: 'POST', body })
    listen()
    await look(id)
    return answer
  }

  /** Read how a conversation stands, if it is the one on the screen. */
  async function look(id: string): Promise<void> {
    if (id === current.value) await readOn(api, id, follower(id), new AbortController().signal).catch(() => undefined)
  }

  /** Say who is writing and where to reply. Throws a `Problem` that can be shown. */
  async function setCustomer(person: { name?: string; email?: string }) {
    await act('customer', person)
    const known = session.value
    if (!known) return
    session.value = { ...known, customer: { ...known.customer, ...person } }
    api.session = session.value
    storage.set('session', session.value)
    tabs.say({ kind: 'signed' })
  }

  async function begin() {
    try {
      const first = session.value === null
      await api.sign()
      unavailable.value = false
      // A session without a remembered conversation: the newest open one, if there is any.
      if (!first && !current.value) {
        const { conversations } = await api.ask<{ conversations: ListedConversation[] }>('/conversations')
        const latest = conversations.find((each) => each.status === 'open')
        if (latest && !current.value) {
          storage.set(`found:${latest.id}`, true)
          remember(latest.id)
        }
      }
    } catch {
      unavailable.value = session.value === null
    }
  }

  window.addEventListener('online', () => {
    online.value = true
    void outbox.retry()
    if (unavailable.value) void begin()
  })
  window.addEventListener('offline', () => (online.value = false))
  document.addEventListener('visibilitychange', () => {
    const id = current.value
    if (document.hidden || !id || !stop) return
    void readOn(api, id, follower(id), stop.signal).catch(() => undefined)
  })

  return {
    session, conversation, thread, typing, connected, online, loading, unavailable, open, asking, escalationFailed,
    announcement, stage, growing, ending, asked, unread, mine, email, assistantOn, organisationName, current,
    lasting: storage.lasting,
    storage,
    uploads, limits, report,

    /** Take up where the browser left off. Makes no request unless there is a conversation. */
    restore() {
      if (current.value) show(current.value)
      if (unsent.value.length) void outbox.flush()
    },
    begin,
    send(text: string) {
      outbox.put(currentId(), text, uploads.take())
      tabs.say({ kind: 'outbox' })
    },
    retry: () => void outbox.retry(),
    discard(id: string) {
      outbox.discard(id)
      tabs.say({ kind: 'outbox' })
    },
    /** The bytes of a file of this conversation. */
    async file(id: string): Promise<Blob> {
      const response = await api.open(`/conversations/${current.value}/files/${id}`, { patience: 0 })
      return response.blob()
    },
    /** Have a file of an agent's that was lost fetched once more. */
    async fetchFile(id: string) {
      const state = () => thread.value.flatMap((message) => message.attachments ?? []).find((file) => file.id === id)?.state
      const before = state()
      const file = await api.ask<Attachment>(`/conversations/${current.value}/files/${id}/fetch`, { method: 'POST', body: {} })
      // The stream may have said meanwhile what has become of it.
      if (state() === before) thread.value = withFiles(thread.value, [file])
    },
    rate: (message: Message, feedback: Feedback | null) => ratings.rate(current.value!, message, feedback),
    /** What a closed conversation refused goes into a new one. */
    resend() {
      startOver()
    },
    async escalate() {
      if (asking.value) return
      asking.value = true
      escalationFailed.value = false
      try {
        await act('escalate', { reason: 'asked_for_person' })
      } catch {
        escalationFailed.value = true
        event('error', { detail: 'escalation failed' })
      } finally {
        asking.value = false
      }
    },
    /** Stop waiting: the request stays with the team, and the answer appears here when someone writes. */
    leaveMessage: () => act('escalate', { reason: 'asked_for_person', mode: 'ticket' }),
    release: () => act('release', {}),
    close: () => act('close', {}),
    setCustomer,
    /** What the host page says about the customer; kept until there is a conversation to say it in. */
    introduce(person: { name?: string; email?: string }) {
      introduction = person
      if (current.value && storage.get(`found:${current.value}`)) void setCustomer(person).catch(() => undefined)
    },
    newChat() {
      remember(newId())
    },
    dismissEnding() {
      const handoff = conversation.value?.handoff?.id
      if (!handoff) return
      dismissed.value = handoff
      storage.set('dismissed', handoff)
      tabs.say({ kind: 'dismissed', handoff })
    },
    /** Everything on the screen has been seen. */
    markSeen() {
      const seq = lastSeq(thread.value)
      const id = current.value
      if (!id || seq <= seen.value) return
      seen.value = seq
      storage.set(`seen:${id}`, seq)
      tabs.say({ kind: 'seen', conversation: id, seq })
    },
    setPage(facts: Record<string, string | number | boolean>) {
      page = { ...page, ...facts }
    },
    logout() {
      outbox.clear()
      for (const name of storage.names('')) storage.drop(name)
      api.session = session.value = null
      show(null)
      tabs.say({ kind: 'left' })
    },
  }
}
