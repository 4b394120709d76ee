"""What all compiled code stands on: the compiler's decorator, hashes, bounded memory."""
