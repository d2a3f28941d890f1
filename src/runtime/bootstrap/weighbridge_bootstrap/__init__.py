"""What the program beside this folder is made of; the parts below know nothing of those above them.

  image, choice, adapters, delivery,     what its main calls
  server
  check, download, transfer, progress    the files: what is missing, and how it comes
  library, marker, lock, pool,           what they use
  model_files
  folder, failures, model, console       what all of them use
"""
