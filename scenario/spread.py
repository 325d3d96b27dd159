"""The partition of a key, as Kafka's own clients reckon it: by MurmurHash2 of 32 bits."""

MASK = 0xffff_ffff
FACTOR = 0x5bd1_e995
SEED = 0x9747_b28c


def murmur2(key):
    """The hash of some bytes."""
    value = SEED ^ len(key)
    whole = len(key) // 4 * 4
    for at in range(0, whole, 4):
        word = int.from_bytes(key[at:at + 4], 'little') * FACTOR & MASK
        word = (word ^ word >> 24) * FACTOR & MASK
        value = (value * FACTOR & MASK) ^ word
    if key[whole:]:
        value = (value ^ int.from_bytes(key[whole:], 'little')) * FACTOR & MASK
    value = (value ^ value >> 13) * FACTOR & MASK
    return value ^ value >> 15


def partition_of(key, partitions):
    """The partition of a key among so many."""
    return (murmur2(key) & 0x7fff_ffff) % partitions
