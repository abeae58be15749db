"""The emulator's own HTML pages: an agent desk, an admin centre, a request log and a fault switch.

They work as plain forms without JavaScript, load nothing from elsewhere, and drive the account only through the same
methods the APIs and the control API use.
"""
