"""An invented agency's long past, written straight into the tables: what a benchmark measures against.

`manage.py seed_history` runs it. `cast` says who there is, `days` when work is done, `lives` what became of one
video, `insight` what was learnt from it, `tables` which columns that fills, `loading` how rows get into a database
fast, and `history` puts it together. The texts are data, written in the agency's language, and are not translated.
"""
