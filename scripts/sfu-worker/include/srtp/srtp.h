#pragma once

// The part of libsrtp 3 that mediasoup's worker calls, answered by the distribution's libsrtp 2. They differ in two
// ways: version 3 hides the policy behind functions, and it reads from one buffer and writes to another, where
// version 2 works in place.

// Both versions use the same names for different things, so version 2's are renamed while its header is read …
#define srtp_policy_t v2_policy_t
#define srtp_create v2_create_renamed
#define srtp_protect v2_protect_renamed
#define srtp_unprotect v2_unprotect_renamed
#define srtp_protect_rtcp v2_protect_rtcp_renamed
#define srtp_unprotect_rtcp v2_unprotect_rtcp_renamed
#include <srtp2/srtp.h>
#undef srtp_policy_t
#undef srtp_create
#undef srtp_protect
#undef srtp_unprotect
#undef srtp_protect_rtcp
#undef srtp_unprotect_rtcp

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <string.h>

// … and declared anew under names of our own, bound to the symbols that the library really exports.
extern "C"
{
srtp_err_status_t v2_create(srtp_t*, const v2_policy_t*) __asm__("srtp_create");
srtp_err_status_t v2_protect(srtp_t, void*, int*) __asm__("srtp_protect");
srtp_err_status_t v2_unprotect(srtp_t, void*, int*) __asm__("srtp_unprotect");
srtp_err_status_t v2_protect_rtcp(srtp_t, void*, int*) __asm__("srtp_protect_rtcp");
srtp_err_status_t v2_unprotect_rtcp(srtp_t, void*, int*) __asm__("srtp_unprotect_rtcp");
}

// Two errors that version 2 does not know, under the numbers that version 3 gives them.
inline constexpr auto srtp_err_status_buffer_small = static_cast<srtp_err_status_t>(28);
inline constexpr auto srtp_err_status_cryptex_err  = static_cast<srtp_err_status_t>(29);

struct srtp_policy_over_v2
{
	v2_policy_t policy;
	// Master key and salt side by side, as version 2 wants them.
	uint8_t keyAndSalt[SRTP_MAX_KEY_LEN];
};

using srtp_policy_t = srtp_policy_over_v2*;

inline srtp_err_status_t srtp_policy_create(srtp_policy_t* policy)
{
	*policy = new srtp_policy_over_v2();
	return srtp_err_status_ok;
}

inline void srtp_policy_destroy(srtp_policy_t policy)
{
	if (!policy)
	{
		return;
	}

	explicit_bzero(policy->keyAndSalt, sizeof(policy->keyAndSalt));
	delete policy;
}

inline srtp_err_status_t srtp_policy_set_ssrc(srtp_policy_t policy, srtp_ssrc_t ssrc)
{
	policy->policy.ssrc = ssrc;
	return srtp_err_status_ok;
}

inline srtp_err_status_t srtp_policy_set_profile(srtp_policy_t policy, srtp_profile_t profile)
{
	const auto status = srtp_crypto_policy_set_from_profile_for_rtp(&policy->policy.rtp, profile);

	return status ? status : srtp_crypto_policy_set_from_profile_for_rtcp(&policy->policy.rtcp, profile);
}

inline srtp_err_status_t srtp_policy_add_key(
  srtp_policy_t policy,
  const uint8_t* key,
  size_t keyLen,
  const uint8_t* salt,
  size_t saltLen,
  const uint8_t* /*mki*/,
  size_t /*mkiLen*/)
{
	if (keyLen + saltLen > sizeof(policy->keyAndSalt))
	{
		return srtp_err_status_bad_param;
	}

	std::memcpy(policy->keyAndSalt, key, keyLen);
	std::memcpy(policy->keyAndSalt + keyLen, salt, saltLen);
	policy->policy.key = policy->keyAndSalt;

	return srtp_err_status_ok;
}

inline srtp_err_status_t srtp_policy_set_allow_repeat_tx(srtp_policy_t policy, bool allow)
{
	policy->policy.allow_repeat_tx = allow;
	return srtp_err_status_ok;
}

inline srtp_err_status_t srtp_policy_set_window_size(srtp_policy_t policy, size_t size)
{
	policy->policy.window_size = size;
	return srtp_err_status_ok;
}

inline srtp_err_status_t srtp_create(srtp_t* session, srtp_policy_t policy)
{
	return v2_create(session, &policy->policy);
}

inline srtp_err_status_t srtp_stream_remove(srtp_t session, uint32_t ssrc)
{
	return srtp_remove_stream(session, ssrc);
}

// Copies the packet where it shall end up, unless it is there already, and lets version 2 work on it in place.
// `growth` is the most that the operation may add; version 2 would write it past the end without asking.
inline srtp_err_status_t srtp_run_v2(
  srtp_err_status_t (*operation)(srtp_t, void*, int*),
  srtp_t session,
  const uint8_t* in,
  size_t inLen,
  uint8_t* out,
  size_t* outLen,
  size_t growth)
{
	if (*outLen < inLen + growth)
	{
		return srtp_err_status_buffer_small;
	}

	if (in != out)
	{
		std::memmove(out, in, inLen);
	}

	int len           = static_cast<int>(inLen);
	const auto status = operation(session, out, &len);

	if (status == srtp_err_status_ok)
	{
		*outLen = static_cast<size_t>(len);
	}

	return status;
}

inline srtp_err_status_t srtp_protect(
  srtp_t session, const uint8_t* in, size_t inLen, uint8_t* out, size_t* outLen, size_t /*mkiIndex*/)
{
	return srtp_run_v2(v2_protect, session, in, inLen, out, outLen, SRTP_MAX_TRAILER_LEN);
}

// RTCP carries an index of four bytes besides the authentication tag (RFC 3711 section 3.4).
inline srtp_err_status_t srtp_protect_rtcp(
  srtp_t session, const uint8_t* in, size_t inLen, uint8_t* out, size_t* outLen, size_t /*mkiIndex*/)
{
	return srtp_run_v2(v2_protect_rtcp, session, in, inLen, out, outLen, SRTP_MAX_TRAILER_LEN + 4);
}

inline srtp_err_status_t srtp_unprotect(srtp_t session, const uint8_t* in, size_t inLen, uint8_t* out, size_t* outLen)
{
	return srtp_run_v2(v2_unprotect, session, in, inLen, out, outLen, 0);
}

inline srtp_err_status_t srtp_unprotect_rtcp(srtp_t session, const uint8_t* in, size_t inLen, uint8_t* out, size_t* outLen)
{
	return srtp_run_v2(v2_unprotect_rtcp, session, in, inLen, out, outLen, 0);
}
