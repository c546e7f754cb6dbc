"""The demo: an invented agency, its accounts in the sandbox, a month of history, and one publication to watch.

The texts are data of the demo, written in the language of the agency, and are not translated.
"""
