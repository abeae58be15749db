import { useEffect, useState } from 'preact/hooks'
import { fill, panel as words } from '../../strings/en'
import { useChat } from '../context'
import { Paper, Picture, Warn } from '../icons'
import type { Attachment } from '../types'
import { sizeText, type Upload } from '../uploads'

const PICTURES = ['image/png', 'image/jpeg', 'image/gif', 'image/webp']
const isPicture = (file: Attachment) => file.media_type !== null && PICTURES.includes(file.media_type)

/** The files of a message: pictures are shown, everything else can be saved. */
export function Files({ files }: { files: Attachment[] | undefined }) {
  if (!files?.length) return null
  return (
    <ul class="files">
      {files.map((file) => (
        <li key={file.id}>{file.state === 'kept' && isPicture(file) ? <Shown file={file} /> : <Card file={file} />}</li>
      ))}
    </ul>
  )
}

/** A picture, read with the visitor's token: nobody else could open its address. */
function Shown({ file }: { file: Attachment }) {
  const { chat } = useChat()
  const [address, setAddress] = useState<string | null>(null)
  const [broken, setBroken] = useState(false)
  useEffect(() => {
    let made: string | null = null
    let gone = false
    chat.file(file.id).then(
      (blob) => gone || setAddress((made = URL.createObjectURL(blob))),
      () => gone || setBroken(true),
    )
    return () => {
      gone = true
      if (made) URL.revokeObjectURL(made)
    }
  }, [file.id])
  if (broken) return <Card file={file} />
  return (
    <a class="picture" {...(address ? { href: address } : {})} download={file.name} aria-label={fill(words.savePicture, { name: file.name })}>
      {address ? <img src={address} alt={file.name} /> : <Picture />}
    </a>
  )
}

function Card({ file }: { file: Attachment }) {
  const { chat, report } = useChat()
  const [busy, setBusy] = useState(false)
  const act = (work: () => Promise<void>) => async () => {
    setBusy(true)
    await work().catch(() => report(fill(words.fileTrouble, { name: file.name, why: words.fileLost })))
    setBusy(false)
  }
  const save = act(async () => {
    const link = document.createElement('a')
    link.href = URL.createObjectURL(await chat.file(file.id))
    link.download = file.name
    link.click()
    setTimeout(() => URL.revokeObjectURL(link.href), 60_000)
  })
  const about = file.state === 'awaited' ? words.fileAwaited
    : file.state === 'lost' ? words.fileLost
    : file.state === 'flagged' ? words.fileFlagged
    : file.size === null ? '' : sizeText(file.size)
  return (
    <div class="card" data-state={file.state}>
      {file.state === 'lost' || file.state === 'flagged' ? <Warn /> : <Paper />}
      <p>
        <span dir="auto">{file.name}</span>
        <small>{about}</small>
      </p>
      {file.state === 'kept' && (
        <button type="button" disabled={busy} onClick={save} aria-label={fill(words.saveFile, { name: file.name })}>{words.save}</button>
      )}
      {file.state === 'lost' && (
        <button type="button" disabled={busy} onClick={act(() => chat.fetchFile(file.id))}>{words.tryAgain}</button>
      )}
    </div>
  )
}

/** What is to be sent with the next message. */
export function Uploads() {
  const { chat } = useChat()
  const items = chat.uploads.items.value
  if (!items.length) return null
  return (
    <ul class="uploads" aria-label={words.filesToSend}>
      {items.map((item) => <Going key={item.id} item={item} />)}
    </ul>
  )
}

function Going({ item }: { item: Upload }) {
  const { chat } = useChat()
  const trouble = item.state === 'failed' || item.state === 'refused'
  return (
    <li class="card" data-state={item.state}>
      {trouble ? <Warn /> : <Paper />}
      <p>
        <span dir="auto">{item.name}</span>
        {item.state === 'sending' ? <progress value={item.share} aria-label={fill(words.uploading, { name: item.name })} />
          : <small>{trouble ? item.problem : sizeText(item.size)}</small>}
      </p>
      {item.state === 'failed' && <button type="button" onClick={() => chat.uploads.retry(item.id)}>{words.tryAgain}</button>}
      <button type="button" onClick={() => chat.uploads.remove(item.id)} aria-label={fill(words.removeFile, { name: item.name })}>{words.remove}</button>
    </li>
  )
}
