"""Show Support records as the REST API shows them: lower-case enums, integer ids, whole seconds."""

from __future__ import annotations

from typing import Any
from urllib.parse import quote

from zendesk_emulator.account import Account
from zendesk_emulator.records.json import Json
from zendesk_emulator.records.people import Group, User
from zendesk_emulator.records.tickets import Attachment, Audit, Comment, Ticket
from zendesk_emulator.text import plain, rest_time


def user(account: Account, record: User) -> Json:
    """Show a user."""
    groups = account.groups_of(record.id)
    return {
        "id": record.id,
        "url": f"{account.base_url}/api/v2/users/{record.id}.json",
        "name": record.name,
        "email": record.email,
        "created_at": rest_time(record.created_at),
        "updated_at": rest_time(record.updated_at),
        "time_zone": "UTC",
        "iana_time_zone": "Etc/UTC",
        "phone": record.phone,
        "shared_phone_number": None,
        "photo": None,
        "locale_id": 1,
        "locale": record.locale,
        "organization_id": None,
        "role": record.role,
        "verified": record.verified,
        "external_id": record.external_id,
        "tags": record.tags,
        "alias": record.alias or "",
        "active": record.active,
        "shared": False,
        "shared_agent": False,
        "last_login_at": None,
        "two_factor_auth_enabled": None,
        "signature": None,
        "details": "",
        "notes": "",
        "role_type": None,
        "custom_role_id": None,
        "moderator": record.is_staff,
        "ticket_restriction": None if record.is_staff else "requested",
        "only_private_comments": False,
        "restricted_agent": record.role != "admin",
        "suspended": record.suspended,
        "default_group_id": groups[0].id if groups else None,
        "report_csv": False,
        "user_fields": record.user_fields,
    }


def group(account: Account, record: Group) -> Json:
    """Show a group."""
    return {
        "url": f"{account.base_url}/api/v2/groups/{record.id}.json",
        "id": record.id,
        "is_public": True,
        "name": record.name,
        "description": record.description,
        "default": record.default,
        "deleted": False,
        "created_at": rest_time(record.created_at),
        "updated_at": rest_time(record.created_at),
    }


def memberships(account: Account) -> list[Json]:
    """List who is in which group."""
    return [
        {
            "url": f"{account.base_url}/api/v2/group_memberships/{known.id + place}.json",
            "id": known.id + place,
            "user_id": user_id,
            "group_id": known.id,
            "default": known.default,
            "created_at": rest_time(known.created_at),
            "updated_at": rest_time(known.created_at),
        }
        for known in account.records.groups.values()
        for place, user_id in enumerate(known.members)
    ]


def attachment(account: Account, record: Attachment) -> Json:
    """Show an attachment with where to download it."""
    address = f"{account.base_url}/attachments/token/{record.id}/?name={quote(record.file_name)}"
    return {
        "url": f"{account.base_url}/api/v2/attachments/{record.id}.json",
        "id": record.id,
        "file_name": record.file_name,
        "content_url": address,
        "mapped_content_url": address,
        "content_type": record.content_type,
        "size": len(record.data),
        "width": None,
        "height": None,
        "inline": False,
        "deleted": False,
        "malware_access_override": False,
        "malware_scan_result": "malware_found" if record.malware else "malware_not_found",
        "thumbnails": [],
    }


def ticket(account: Account, record: Ticket) -> Json:
    """Show a ticket, its keys in the recorded order."""
    fields = [{"id": key, "value": value} for key, value in record.custom_fields.items()]
    return {
        "url": f"{account.base_url}/api/v2/tickets/{record.id}.json",
        "id": record.id,
        "external_id": record.external_id,
        "via": _via(record.via),
        "created_at": rest_time(record.created_at),
        "updated_at": rest_time(record.updated_at),
        "type": record.type,
        "subject": record.subject,
        "raw_subject": record.subject,
        "description": record.description,
        "priority": record.priority,
        "status": record.status,
        "recipient": record.recipient,
        "requester_id": record.requester_id,
        "submitter_id": record.submitter_id,
        "assignee_id": record.assignee_id,
        "organization_id": record.organization_id,
        "group_id": record.group_id,
        "collaborator_ids": [],
        "follower_ids": [],
        "email_cc_ids": [],
        "forum_topic_id": None,
        "problem_id": None,
        "has_incidents": False,
        "is_public": record.is_public,
        "due_at": None,
        "tags": record.tags,
        "custom_fields": fields,
        "satisfaction_rating": {"score": "unoffered"},
        "sharing_agreement_ids": [],
        "custom_status_id": None,
        "fields": fields,
        "followup_ids": [],
        "ticket_form_id": record.form_id,
        "brand_id": record.brand_id,
        "allow_channelback": False,
        "allow_attachments": True,
        "from_messaging_channel": record.is_messaging,
        "generated_timestamp": int(record.updated_at.timestamp()),
    }


def comment(account: Account, record: Comment) -> Json:
    """Show a comment."""
    return {
        "id": record.id,
        "type": "Comment",
        "author_id": record.author_id,
        "body": record.body,
        "html_body": record.html_body,
        "plain_body": plain(record.html_body),
        "public": record.public,
        "attachments": [attachment(account, file) for file in record.attachments],
        "audit_id": record.audit_id,
        "via": _via(record.via),
        "created_at": rest_time(record.created_at),
        "metadata": {"system": {}, "custom": {}},
    }


def audit(account: Account, record: Audit, ticket_id: int) -> Json:
    """Show an audit with its events."""
    return {
        "id": record.id,
        "ticket_id": ticket_id,
        "created_at": rest_time(record.created_at),
        "author_id": record.author_id,
        "metadata": {"system": {}, "custom": record.custom},
        "events": [_audit_event(account, event) for event in record.events],
        "via": _via(record.via),
    }


def _audit_event(account: Account, event: Json) -> Json:
    if event["type"] != "Comment":
        return {key: value for key, value in event.items() if key != "comment"}
    shown = comment(account, event["comment"])
    return {key: value for key, value in shown.items() if key not in ("via", "created_at", "metadata")}


def _via(channel: str) -> dict[str, Any]:
    return {"channel": channel, "source": {"from": {}, "to": {}, "rel": None}}
