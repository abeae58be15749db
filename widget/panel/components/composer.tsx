import { useEffect, useRef, useState } from 'preact/hooks'
import { fill, panel as words } from '../../strings/en'
import { useChat } from '../context'
import { Clip, Send } from '../icons'
import { Uploads } from './files'

const LIMIT = 4000
const TELL_FROM = 3600

export const COMPOSER = 'composer'

/** Write and send. Enter sends, Shift+Enter breaks the line; a draft outlives a reload. */
export function Composer() {
  const { chat } = useChat()
  const field = useRef<HTMLTextAreaElement>(null)
  const [text, setText] = useState(() => chat.storage.get<string>('draft') ?? '')
  const length = [...text].length
  const over = length - LIMIT
  const picker = useRef<HTMLInputElement>(null)
  const uploads = chat.uploads.items.value
  const held = uploads.some((item) => item.state === 'failed' || item.state === 'refused')
  const going = uploads.some((item) => item.state === 'sending')
  const ready = (text.trim() !== '' || uploads.length > 0) && over <= 0 && !held && !going

  const change = (next: string) => {
    setText(next)
    if (next) chat.storage.set('draft', next)
    else chat.storage.drop('draft')
  }
  useEffect(() => {
    const draft = (event: Event) => change((event as CustomEvent<string>).detail)
    document.addEventListener('draft', draft)
    return () => document.removeEventListener('draft', draft)
  }, [])
  useEffect(() => {
    const area = field.current!
    area.style.height = 'auto'
    area.style.height = `${Math.min(area.scrollHeight, 132)}px`
  }, [text])

  const send = () => {
    if (!ready) return
    chat.send(text.trim())
    change('')
    field.current?.focus()
  }
  const stage = chat.stage.value
  const agent = chat.conversation.value?.handoff?.agent?.name
  const placeholder = stage === 'live' ? (agent ? fill(words.writeTo, { name: agent }) : words.writeTeam)
    : stage === 'ticket' ? words.addToRequest
    : stage === 'connecting' || stage === 'waiting' || !chat.assistantOn.value ? words.writeTeam
    : words.ask
  const withAssistant = (stage === 'assistant' || stage === 'ended' || stage === 'failed') && chat.assistantOn.value
  const fresh = withAssistant && length <= TELL_FROM && chat.thread.value.length > 1
  return (
    <form
      class="composer"
      aria-label={words.composer}
      onSubmit={(event) => {
        event.preventDefault()
        send()
      }}
    >
      <Uploads />
      <div class="field">
        <input
          ref={picker} type="file" multiple hidden accept={chat.limits.value.endings.map((ending) => `.${ending}`).join()}
          onChange={(event) => {
            chat.uploads.add(event.currentTarget.files ?? [])
            event.currentTarget.value = ''
            field.current?.focus()
          }}
        />
        <button type="button" class="round clip" aria-label={words.attach} title={words.attach} onClick={() => picker.current?.click()}><Clip /></button>
        <textarea
          ref={field} id={COMPOSER} rows={1} dir="auto" enterkeyhint="send" placeholder={placeholder} aria-label={words.composer}
          aria-invalid={over > 0} aria-describedby="composer-note" value={text}
          onInput={(event) => change(event.currentTarget.value)}
          onPaste={(event) => {
            const files = event.clipboardData?.files
            if (!files?.length) return
            event.preventDefault()
            chat.uploads.add(files)
          }}
          onKeyDown={(event) => {
            if (event.key !== 'Enter' || event.shiftKey || event.isComposing) return
            event.preventDefault()
            send()
          }}
        />
        <button type="submit" class="send" aria-label={words.send} disabled={!ready}><Send /></button>
      </div>
      <p id="composer-note" class={over > 0 || held ? 'problem' : ''}>
        {over > 0 ? fill(words.tooLong, { count: over })
          : held ? words.filesHeld
          : going ? words.filesGoing
          : length > TELL_FROM ? fill(words.left, { count: -over })
          : withAssistant ? words.mistakes : ''}
        {fresh && <button type="button" onClick={chat.newChat}>{words.newChatShort}</button>}
      </p>
    </form>
  )
}
