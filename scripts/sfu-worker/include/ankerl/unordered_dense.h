#pragma once

// mediasoup's worker asks for ankerl's faster hash containers by these three names and uses nothing of them that the
// standard ones lack, so the standard ones answer: slower by a little, and on every distribution.

#include <functional>
#include <unordered_map>
#include <unordered_set>

namespace ankerl::unordered_dense
{
template<typename Key>
struct hash : std::hash<Key>
{
};

template<typename Key, typename Value, typename Hash = std::hash<Key>, typename Equal = std::equal_to<Key>>
using map = std::unordered_map<Key, Value, Hash, Equal>;

template<typename Key, typename Hash = std::hash<Key>, typename Equal = std::equal_to<Key>>
using set = std::unordered_set<Key, Hash, Equal>;
} // namespace ankerl::unordered_dense
